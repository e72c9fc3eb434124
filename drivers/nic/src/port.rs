//! Where driving and serving meet.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use crate::capture::Captures;
use crate::coalesce::Intervals;
use crate::driver::{Link, NicInfo, Settings};
use crate::frame::Frame;
use crate::memory::Pools;
use crate::requests::Requests;
use crate::statistics::Statistics;

/// What the two sides share: frames both ways, what serving wants, and what driving reports.
pub struct Port {
    /// The present, set by the daemon at each turn.
    pub now: Instant,
    /// What the device is.
    pub info: NicInfo,
    /// The buffers.
    pub pools: Pools,

    /// How many handles want frames; the device runs while there are any.
    pub users: usize,
    /// How the device shall work.
    pub settings: Settings,
    /// Counts changes of `settings`.
    pub settings_version: u64,
    /// What is asked of the device beside that.
    pub requests: Requests,
    /// The newest report that a reader waits for.
    pub report_wanted: u64,

    /// All readers are behind, and one of them has read at this time: frames are better left with the device for
    /// a while, where one too many costs nothing, than taken and lost.
    pub congested: Option<Instant>,
    /// All readers have frames before them, and one of them has read at this time: it comes back for the rest, upon which
    /// the device is asked for more, so that no interrupt needs to tell of it.
    pub reading: Option<Instant>,

    /// Frames to send, bounded by their pool.
    pub transmit: VecDeque<Frame>,
    /// Received frames, emptied by serving at each turn.
    pub received: VecDeque<Frame>,

    /// Those who look at frames both ways.
    pub captures: Captures,

    /// The link as last seen.
    pub link: Link,
    /// The device is powered down, and does not answer.
    pub is_powered_down: bool,
    /// The intervals between interrupts that the device keeps.
    pub intervals: Intervals,
    /// What was counted, up to date as of `report_made`.
    pub statistics: Statistics,
    /// Registers as of `report_made`.
    pub registers: Vec<(&'static str, u32)>,
    /// What the last self test found.
    pub self_test: String,
    /// How many there were.
    pub self_tests: u64,
    /// What the EEPROM held when that was last asked.
    pub eeprom: Vec<u8>,
    /// The newest report made.
    pub report_made: u64,
}

/// The port as each side holds it. Neither keeps a borrow across a call into the other.
pub type SharedPort = Rc<RefCell<Port>>;

impl Port {
    /// The port of a device that nobody uses yet.
    pub fn new(info: NicInfo, pools: Pools, link: Link, now: Instant) -> SharedPort {
        let settings = Settings {
            mac: info.mac,
            mtu: DEFAULT_MTU.clamp(*info.mtu.start(), *info.mtu.end()),
            filter: Default::default(),
            features: info.features,
            rings: info.facilities.rings.map(|limits| limits.initial).unwrap_or_default(),
            coalesce: info.facilities.moderation.initial(),
            media: info.facilities.media.map(|limits| limits.initial()).unwrap_or_default(),
            rss: info.facilities.rss.map(|limits| limits.initial()),
            wake: Default::default(),
        };
        let queues = info.facilities.queues;
        Rc::new(RefCell::new(Self {
            now,
            info,
            pools,
            users: 0,
            settings,
            settings_version: 0,
            requests: Requests::default(),
            report_wanted: 0,
            congested: None,
            reading: None,
            transmit: VecDeque::new(),
            received: VecDeque::new(),
            captures: Captures::new(now, 0),
            link,
            is_powered_down: false,
            intervals: Intervals::default(),
            statistics: Statistics::of_queues(queues.into()),
            registers: Vec::new(),
            self_test: String::new(),
            self_tests: 0,
            eeprom: Vec::new(),
            report_made: 0,
        }))
    }

    /// Somebody needs the device to run.
    pub fn is_needed(&self) -> bool {
        self.users > 0 || self.requests.self_test
    }

    /// Changes how the device shall work.
    pub fn change(&mut self, settings: Settings) {
        self.settings = settings;
        self.settings_version += 1;
    }

    /// Asks for statistics and registers as of now; they are there when `report_made` reaches the result.
    pub fn request_report(&mut self) -> u64 {
        self.report_wanted += 1;
        self.report_wanted
    }
}

/// Ethernet's own (IEEE 802.3, 3.2.7).
const DEFAULT_MTU: usize = 1500;
