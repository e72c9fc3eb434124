//! The file as text: what differs from the defaults, a line each.

use std::fmt::{self, Display};

use toml::{Table, Value};

use super::{Config, Filter, Interface, Match, Panel, Route, Settings};

impl Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dns, search, interfaces } = self;
        write_list(f, "dns", dns)?;
        write_list(f, "search", search)?;
        for (position, interface) in interfaces.iter().enumerate() {
            if position > 0 || !(dns.is_empty() && search.is_empty()) {
                writeln!(f)?;
            }
            write!(f, "{interface}")?;
        }
        Ok(())
    }
}

impl Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { matches, name, up, dhcp, keep_lease, addresses, routes, dns, .. } = self;
        let Self { mtu, mac, vlan, filter, metric, .. } = self;
        writeln!(f, "[[interface]]")?;
        write_match(f, matches)?;
        write_value(f, "name", name.as_ref().map(quoted))?;
        if !up {
            writeln!(f, "up = false")?;
        }
        write_value(f, "dhcp", *dhcp)?;
        if *keep_lease {
            writeln!(f, "keep_lease = true")?;
        }
        write_list(f, "addresses", addresses)?;
        write_routes(f, routes)?;
        write_list(f, "dns", dns)?;
        write_value(f, "mtu", *mtu)?;
        write_value(f, "mac", mac.map(quoted))?;
        if !vlan.is_empty() {
            writeln!(
                f,
                "vlan = {}",
                Value::Array(vlan.iter().map(|id| i64::from(id.get()).into()).collect())
            )?;
        }
        write_filter(f, *filter)?;
        for panel in Panel::ALL {
            write_settings(f, panel, self.settings(panel))?;
        }
        write_value(f, "metric", *metric)
    }
}

fn write_match(f: &mut fmt::Formatter<'_>, matches: &Match) -> fmt::Result {
    let Match { name, mac, driver } = matches;
    write_value(f, "match.name", name.as_ref().map(quoted))?;
    write_value(f, "match.mac", mac.map(quoted))?;
    write_value(f, "match.driver", driver.as_ref().map(quoted))
}

fn write_routes(f: &mut fmt::Formatter<'_>, routes: &[Route]) -> fmt::Result {
    if routes.is_empty() {
        return Ok(());
    }
    writeln!(f, "routes = [")?;
    for Route { to, via, metric } in routes {
        let destination = if to.prefix_len() == 0 { "default".to_owned() } else { to.to_string() };
        write!(f, "    {{ to = {}", quoted(destination))?;
        if let Some(via) = via {
            write!(f, ", via = {}", quoted(via))?;
        }
        if let Some(metric) = metric {
            write!(f, ", metric = {metric}")?;
        }
        writeln!(f, " }},")?;
    }
    writeln!(f, "]")
}

fn write_filter(f: &mut fmt::Formatter<'_>, filter: Filter) -> fmt::Result {
    for (key, on) in [("promisc", filter.promisc), ("allmulti", filter.allmulti)] {
        if on {
            writeln!(f, "filter.{key} = true")?;
        }
    }
    Ok(())
}

fn write_settings(f: &mut fmt::Formatter<'_>, panel: Panel, settings: &Settings) -> fmt::Result {
    if settings.is_empty() {
        return Ok(());
    }
    let settings: Table = settings.iter().map(|(name, setting)| (name.clone(), (*setting).into())).collect();
    writeln!(f, "{} = {}", panel.name(), Value::Table(settings))
}

fn write_value(f: &mut fmt::Formatter<'_>, key: &str, value: Option<impl Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| writeln!(f, "{key} = {value}"))
}

fn write_list(f: &mut fmt::Formatter<'_>, key: &str, values: &[impl Display]) -> fmt::Result {
    if values.is_empty() {
        return Ok(());
    }
    writeln!(f, "{key} = {}", Value::Array(values.iter().map(|value| value.to_string().into()).collect()))
}

/// As TOML writes text.
fn quoted(text: impl Display) -> Value {
    Value::String(text.to_string())
}
