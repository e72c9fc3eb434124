//! What the log says, counted.

use std::cell::Cell;

use log::{Level, LevelFilter, Log, Metadata, Record};

thread_local! {
    static WARNINGS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the warnings of each thread, since each test has one of its own.
struct Count;

impl Log for Count {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            WARNINGS.set(WARNINGS.get() + 1);
        }
    }

    fn flush(&self) {}
}

/// The warnings and errors of this test since the first call.
pub fn warnings() -> usize {
    // Another test may have been first.
    let _ = log::set_logger(&Count);
    log::set_max_level(LevelFilter::Warn);
    WARNINGS.get()
}
