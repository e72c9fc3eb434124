//! A driver's settings, which the driver may refuse.

use config::netd::Panel;
use scheme::SchemeSync;
use scheme::errno::*;

use super::netcfg::{MAC, netcfg};
use super::*;
use crate::schemes::netcfg::Netcfg;

const COALESCE: &str = "ifaces/eth0/coalesce";
const ETH0: usize = 1;

/// A host whose `eth0` has a driver with these settings.
fn host_with_driver() -> Rig<Netcfg> {
    let rig = netcfg(Some(MAC));
    let mut stack = rig.stack.borrow_mut();
    let interface = stack.network.interface_mut(ETH0).unwrap();
    interface.driver = Some("network.test".to_owned());
    interface.panels.texts.insert(Panel::Coalesce, "adaptive off\nrx-usecs 50\n".to_owned());
    drop(stack);
    rig
}

impl Rig<Netcfg> {
    /// The driver was told, and takes it or says why not.
    fn driver_answers(&mut self, refused: Option<&str>) {
        let mut stack = self.stack.borrow_mut();
        let interface = stack.network.interface_mut(ETH0).unwrap();
        interface.panels.told = interface.wanted.version;
        let setting = (Panel::Coalesce, "rx-usecs".to_owned());
        interface.panels.refused = refused.map(|why| (setting, why.to_owned())).into_iter().collect();
        drop(stack);
        self.scheme.post_changes();
    }

    fn sync(&mut self, id: usize) -> Answer<()> {
        self.scheme.fsync(id, &caller(0)).map_err(|error| error.errno)
    }
}

#[test]
fn a_setting_is_made_once_the_driver_has_taken_it() {
    let mut rig = host_with_driver();
    assert_eq!(rig.cat(COALESCE), "adaptive off\nrx-usecs 50\n");
    let id = rig.open_with(COALESCE, O_RDWR).unwrap();
    rig.write(id, b"rx-usecs 20\n").unwrap();
    assert_eq!(rig.sync(id), Err(EAGAIN), "the driver is asked");
    assert_eq!(rig.sync(id), Err(EAGAIN));
    rig.driver_answers(None);
    assert_eq!(rig.sync(id), Ok(()));
    assert_eq!(rig.sync(id), Err(EBADF), "one change a handle");
    assert!(rig.cat("config/running").contains("coalesce = { rx-usecs = 20 }\n"));
}

#[test]
fn what_the_driver_refuses_is_as_it_was_and_its_writer_reads_why() {
    let mut rig = host_with_driver();
    for (line, refused) in [("rx-usecs 20\n", None), ("rx-usecs 99999\n", Some("too many"))] {
        let id = rig.open_with(COALESCE, O_RDWR).unwrap();
        rig.write(id, line.as_bytes()).unwrap();
        assert_eq!(rig.sync(id), Err(EAGAIN));
        rig.driver_answers(refused);
        assert_eq!(rig.sync(id), if refused.is_some() { Err(EINVAL) } else { Ok(()) });
        assert_eq!(refused.is_some(), rig.text(id) == "too many\n");
        rig.close(id);
    }
    assert!(rig.cat("config/running").contains("coalesce = { rx-usecs = 20 }\n"));
}

#[test]
fn a_shell_s_echo_is_enough() {
    let mut rig = host_with_driver();
    rig.echo(COALESCE, "adaptive on\n").unwrap();
    assert!(rig.cat("config/running").contains("coalesce = { adaptive = true }\n"));
    rig.driver_answers(None);
    assert!(rig.cat("config/running").contains("coalesce = { adaptive = true }\n"));
}

#[test]
fn a_driver_that_dies_has_nothing_against_it() {
    let mut rig = host_with_driver();
    let id = rig.open_with(COALESCE, O_RDWR).unwrap();
    rig.write(id, b"rx-usecs 20\n").unwrap();
    assert_eq!(rig.sync(id), Err(EAGAIN));
    rig.stack.borrow_mut().network.interface_mut(ETH0).unwrap().driver = None;
    rig.scheme.post_changes();
    assert_eq!(rig.sync(id), Ok(()), "the next one will be told");
}

#[test]
fn what_the_driver_does_not_have_is_refused_at_once() {
    let mut rig = host_with_driver();
    assert_eq!(rig.echo(COALESCE, "rx-frames 5\n"), Err(EINVAL));
    assert_eq!(rig.echo(COALESCE, "rx-usecs many\n"), Err(EINVAL));
    assert_eq!(rig.echo("ifaces/eth0/features", "tso on\n"), Err(EOPNOTSUPP));
    assert_eq!(rig.open_with("ifaces/lo/features", O_RDWR), Err(ENOENT));
    let mut rig = netcfg(Some(MAC));
    assert_eq!(rig.echo(COALESCE, "rx-usecs 5\n"), Err(ENODEV));
    assert_eq!(rig.cat("config/running"), "");
}
