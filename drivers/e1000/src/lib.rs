//! Driver for Intel's 8254x gigabit Ethernet controllers.
