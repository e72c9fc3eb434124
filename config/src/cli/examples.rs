//! What each command's help ends with.

pub const SHOW: &str = "\
Examples:
  netcfg show eth0
  netcfg show --json";

pub const LINK: &str = "\
Examples:
  netcfg link
  netcfg link show eth0
  netcfg link set eth0 mtu 9000
  netcfg link set eth0 down";

pub const ADDR: &str = "\
Examples:
  netcfg addr
  netcfg addr add 10.0.0.2/24 dev eth0
  netcfg addr rm 10.0.0.2/24 dev eth0";

pub const ROUTE: &str = "\
Examples:
  netcfg route
  netcfg route add default via 10.0.0.1
  netcfg route add 10.7.0.0/16 via 10.0.0.9 dev eth0 metric 5
  netcfg route rm default dev eth0";

pub const NEIGH: &str = "\
Example:
  netcfg neigh eth0";

pub const DNS: &str = "\
Examples:
  netcfg dns
  netcfg dns set 9.9.9.9 149.112.112.112
  netcfg dns search home.arpa";

pub const DHCP: &str = "\
Examples:
  netcfg dhcp
  netcfg dhcp renew eth0
  netcfg dhcp off eth0";

pub const SOCKETS: &str = "\
Example:
  netcfg sockets --listening";

pub const STATS: &str = "\
Example:
  netcfg stats eth0";

pub const FEATURES: &str = "\
Examples:
  netcfg features eth0
  netcfg features eth0 rx-checksum off

Many features are as they are, and such a driver refuses. What is switched here is told to every driver that comes,
and `netcfg save` keeps it.";

pub const COALESCE: &str = "\
Examples:
  netcfg coalesce eth0
  netcfg coalesce eth0 rx-usecs 50
  netcfg coalesce eth0 adaptive on

What is set here is told to every driver that comes, and `netcfg save` keeps it.";

pub const RINGS: &str = "\
Examples:
  netcfg rings eth0
  netcfg rings eth0 rx 512

The device is stopped and started for it, once it has sent what it has. What is set here is told to every driver that
comes, and `netcfg save` keeps it.";

pub const MEDIA: &str = "\
Examples:
  netcfg media eth0
  netcfg media eth0 autoneg off
  netcfg media eth0 speed 10
  netcfg media eth0 full-duplex off

Speed and duplex are for when they are not negotiated. What is set here is told to every driver that comes, and
`netcfg save` keeps it.";

pub const SELFTEST: &str = "\
Example:
  netcfg selftest eth0

No other frames pass meanwhile, which takes some milliseconds, or up to five seconds where something fails; the link may
be negotiated anew afterwards. It fails if a test failed.";

pub const RSS: &str = "\
Examples:
  netcfg rss eth0
  netcfg rss eth0 equal 2

What is changed here holds as long as the driver runs.";

pub const WAKE: &str = "\
Examples:
  netcfg wake eth0
  netcfg wake eth0 magic on";

pub const RSS_EQUAL: &str = "\
Example:
  netcfg rss eth0 equal 2";

pub const RSS_WEIGHT: &str = "\
Example:
  netcfg rss eth0 weight 3 1";

pub const RSS_TABLE: &str = "\
Example:
  netcfg rss eth0 table 0 1 1 3";

pub const RSS_KEY: &str = "\
Example, with less than all of the bytes:
  netcfg rss eth0 key 6d:5a:56:da:25:5b:0e:c2:...";

pub const RSS_HASH: &str = "\
Example:
  netcfg rss eth0 hash ip4 tcp4";

pub const EEPROM: &str = "\
Example:
  netcfg eeprom eth0";

pub const IDENTIFY: &str = "\
Examples:
  netcfg identify eth0
  netcfg identify eth0 60";

pub const MONITOR: &str = "\
Example:
  netcfg monitor --json";

pub const CAPTURE: &str = "\
Examples:
  netcfg capture eth0 -w web.pcapng tcp port 80
  netcfg capture eth0 --seconds 10 | tshark -r -
  netcfg capture eth0 --driver -w all.pcapng

A filter is made of arp, ip, ip6, tcp, udp, icmp, icmp6, and host ADDRESS, net PREFIX, port NUMBER with src or dst
before them or without; between them may stand `and` or `or`, and `not` before any.";

pub const PING: &str = "\
Examples:
  netcfg ping 10.0.2.2 -c 3
  netcfg ping example.org

A name is asked for at the name servers that `netcfg dns` shows.";

pub const APPLY: &str = "\
Examples:
  netcfg apply /etc/net/netd.toml
  netcfg apply new.toml --confirm 60

The file is checked as a whole first: if it is wrong, nothing changes.";

pub const CONFIRM: &str = "\
Example:
  netcfg apply new.toml --confirm 60 && netcfg ping 10.0.0.1 && netcfg confirm";

pub const SAVE: &str = "\
Example:
  netcfg save";

pub const COMPLETIONS: &str = "\
Example:
  netcfg completions bash > /etc/bash_completion.d/netcfg";

pub const LINK_SET: &str = "\
Example:
  netcfg link set eth0 mtu 9000";

pub const LINK_SET_VLAN: &str = "\
Examples:
  netcfg link set eth0 vlan add 10
  netcfg link set eth0 vlan rm 10";

pub const ADDR_ADD: &str = "\
Example:
  netcfg addr add 10.0.0.2/24 dev eth0";

pub const ADDR_RM: &str = "\
Example:
  netcfg addr rm 10.0.0.2/24 dev eth0";

pub const ADDR_SET: &str = "\
Example:
  netcfg addr set 10.0.0.2/24 dev eth0";

pub const ROUTE_ADD: &str = "\
Example:
  netcfg route add default via 10.0.0.1";

pub const ROUTE_RM: &str = "\
Example:
  netcfg route rm default dev eth0";

pub const DNS_SET: &str = "\
Example:
  netcfg dns set 9.9.9.9 149.112.112.112";

pub const DNS_SEARCH: &str = "\
Example:
  netcfg dns search home.arpa";

pub const DNS_CLEAR: &str = "\
Example:
  netcfg dns clear";

pub const DHCP_RENEW: &str = "\
Example:
  netcfg dhcp renew eth0";

pub const LINK_SHOW: &str = "\
Example:
  netcfg link show eth0";

pub const LINK_SET_UP: &str = "\
Example:
  netcfg link set eth0 up";

pub const LINK_SET_DOWN: &str = "\
Example:
  netcfg link set eth0 down";

pub const LINK_SET_MTU: &str = "\
Example:
  netcfg link set eth0 mtu 9000";

pub const LINK_SET_MAC: &str = "\
Example:
  netcfg link set eth0 mac 52:54:00:12:34:57";

pub const LINK_SET_METRIC: &str = "\
Example:
  netcfg link set eth0 metric 5";

pub const ADDR_SHOW: &str = "\
Example:
  netcfg addr show eth0";

pub const ROUTE_SHOW: &str = "\
Example:
  netcfg route show";

pub const DNS_SHOW: &str = "\
Example:
  netcfg dns show";

pub const DHCP_SHOW: &str = "\
Example:
  netcfg dhcp show eth0";

pub const DHCP_ON: &str = "\
Example:
  netcfg dhcp on eth0";

pub const DHCP_OFF: &str = "\
Example:
  netcfg dhcp off eth0";
