//! Attends to a driver: opens it, tells it what is wanted, and follows what it says.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use scheme::vnet::Form;
use smoltcp::wire::EthernetAddress;

use super::{Phase, Shared, State};
use crate::link::driver::{self, Orders, Own};
use crate::link::pump;
use crate::stack::hardware::{Panels, Wanted};

/// Between two looks at the driver's link.
const REFRESH: Duration = Duration::from_secs(1);
/// How many of them there are to one at its settings, which few change but netd.
const LOOKS: u32 = 10;

/// What a driver works with.
#[derive(Clone, Copy)]
struct Settings {
    address: EthernetAddress,
    mtu: usize,
}

/// Opens the driver, tells it what is wanted, and attends to it.
pub(super) fn attend(shared: &Arc<Shared>, directory: &Path) -> Result<(), String> {
    let first = look(directory)?;
    let own = Own { mtu: first.mtu, texts: driver::read_panels(directory)? };
    let told = shared.lock().orders.clone();
    let refused = driver::tell(directory, &Orders::default(), &told, &own);
    let settings = if told.wanted == Wanted::default() { first } else { look(directory)? };
    let phase = open(directory, first.address, settings)?;
    let panels = Panels { texts: driver::read_panels(directory)?, told: told.wanted.version, refused };
    let form = open_frames(shared, directory)?;
    shared.update(|status| (status.phase, status.panels, status.form) = (phase, panels, form));
    watch(shared, directory, told, first.address, &own)
}

/// Frames come and go by pipes, or else by a thread that moves them.
fn open_frames(shared: &Arc<Shared>, directory: &Path) -> Result<Form, String> {
    if let Some(pipes) = driver::open_pipes(directory)? {
        let form = pipes.form;
        shared.lock().pipes = Some(pipes);
        return Ok(form);
    }
    let (frames, form) = driver::open_frames(directory)?;
    if shared.lock().stop {
        return Ok(form);
    }
    let pump = shared.spawn("frames", move |shared| pump::run(shared, frames, form));
    pump.map(|()| form).map_err(|error| error.to_string())
}

/// The address and the MTU that a driver works with.
fn look(directory: &Path) -> Result<Settings, String> {
    let address = driver::read_address(&directory.join("mac"))?;
    Ok(Settings { address, mtu: driver::read_mtu(&directory.join("mtu"))? })
}

fn open(
    directory: &Path,
    own: EthernetAddress,
    Settings { address, mtu }: Settings,
) -> Result<Phase, String> {
    let mtu_limits = driver::read_mtu_limits(&directory.join("mtu_limits"), mtu)?;
    Ok(Phase::Open { own, address, mtu, mtu_limits })
}

/// Follows the driver's `link` and settings, and tells the driver what becomes another than it was `told`.
fn watch(
    shared: &Shared,
    directory: &Path,
    mut told: Orders,
    address: EthernetAddress,
    own: &Own,
) -> Result<(), String> {
    let link = directory.join("link");
    let mut looks = 0;
    loop {
        looks = (looks + 1) % LOOKS;
        shared.glance.ask();
        let mut panels = shared.lock().status.panels.clone();
        let orders = shared.lock().orders.clone();
        if orders != told {
            panels.refused = driver::tell(directory, &told, &orders, own);
            panels.told = orders.wanted.version;
            let is_other = orders.wanted != told.wanted;
            (told, looks) = (orders, 0);
            if is_other {
                let phase = open(directory, address, look(directory)?)?;
                shared.update(|status| status.phase = phase);
            }
        }
        if looks == 0 {
            panels.texts = driver::read_panels(directory)?;
        }
        let (is_up, link_text) = driver::read_link(&link)?;
        shared.glance.answered();
        let known = shared.lock().status.clone();
        if (known.is_up, &known.link_text, &known.panels) != (is_up, &link_text, &panels) {
            shared.update(|status| {
                (status.is_up, status.link_text, status.panels) = (is_up, link_text, panels);
            });
        }
        if !shared.rest(&told) {
            return Ok(());
        }
    }
}

impl Shared {
    /// Waits until the next look at the driver is due, or there is something else than `told` to tell it. False at
    /// the end.
    fn rest(&self, told: &Orders) -> bool {
        let is_idle = |state: &mut State| !state.stop && state.orders == *told;
        let rested = self.called.wait_timeout_while(self.lock(), REFRESH, is_idle);
        !rested.unwrap_or_else(PoisonError::into_inner).0.stop
    }
}
