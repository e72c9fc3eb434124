//! `syscall`: libuv, and so dig, sends and receives datagrams by the calls' numbers.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{c_long, c_void};

type Syscall = unsafe extern "C" fn(c_long, ...) -> c_long;

/// The C library's own, once it was looked for. Not behind a lock: who waits for one calls `syscall`.
static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

fn next() -> Option<Syscall> {
    if NEXT.load(Ordering::Acquire).is_null() {
        // SAFETY: the name is a text.
        NEXT.store(unsafe { libc::dlsym(libc::RTLD_NEXT, c"syscall".as_ptr()) }, Ordering::Release);
    }
    let next = NEXT.load(Ordering::Acquire);
    // SAFETY: that is what the C library calls so.
    (!next.is_null()).then(|| unsafe { std::mem::transmute::<*mut c_void, Syscall>(next) })
}

/// The C library's own, but for the calls that relibc does not have.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(
    number: c_long,
    first: c_long,
    second: c_long,
    third: c_long,
    fourth: c_long,
    fifth: c_long,
    sixth: c_long,
) -> c_long {
    match (number, next()) {
        (libc::SYS_sendmmsg | libc::SYS_recvmmsg, _) | (_, None) => no_such_call(),
        // SAFETY: the arguments are the caller's. Those that it did not give are not looked at.
        (_, Some(next)) => unsafe { next(number, first, second, third, fourth, fifth, sixth) },
    }
}

fn no_such_call() -> c_long {
    // SAFETY: it is this thread's own.
    unsafe { *libc::__errno_location() = libc::ENOSYS };
    -1
}
