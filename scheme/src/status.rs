//! A handle's status flags, which `fcntl` reads and changes.

use syscall::error::EINVAL;
use syscall::flag::{F_GETFL, F_SETFL, O_FCNTL_MASK};

use crate::{Error, Result};

/// Answers `F_GETFL` and `F_SETFL` for a handle with these `flags`; how a handle was opened cannot be changed
/// afterwards. Any other command is `EINVAL`.
pub fn fcntl(flags: &mut usize, command: usize, argument: usize) -> Result<usize> {
    match command {
        F_GETFL => Ok(*flags),
        F_SETFL => {
            *flags = *flags & !O_FCNTL_MASK | argument & O_FCNTL_MASK;
            Ok(0)
        }
        _ => Err(Error::new(EINVAL)),
    }
}

#[cfg(test)]
mod tests {
    use syscall::flag::{F_DUPFD, O_CREAT, O_NONBLOCK, O_RDWR};

    use super::*;

    #[test]
    fn nonblocking_comes_and_goes_and_the_access_mode_stays() {
        let mut flags = O_RDWR;
        assert_eq!(fcntl(&mut flags, F_SETFL, O_NONBLOCK | O_CREAT), Ok(0));
        assert_eq!(fcntl(&mut flags, F_GETFL, 0), Ok(O_RDWR | O_NONBLOCK));
        assert_eq!(fcntl(&mut flags, F_SETFL, 0), Ok(0));
        assert_eq!(fcntl(&mut flags, F_GETFL, 0), Ok(O_RDWR));
        assert_eq!(fcntl(&mut flags, F_DUPFD, 0), Err(Error::new(EINVAL)));
    }
}
