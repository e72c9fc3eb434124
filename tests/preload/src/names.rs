//! `getaddrinfo`: names come from the name server in `/etc/net/dns`, where relibc looks for it.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd;
use std::time::{SystemTime, UNIX_EPOCH};

use libc::addrinfo;
use probe::dns;
use scheme::client::{self, OpenOptions};

/// Where the name server's address stands.
const SERVER: &str = "/etc/net/dns";

/// How long an answer may take, in milliseconds; relibc would wait for ever.
const PATIENCE: c_int = 3000;

/// How often a question is asked; relibc asks once, and hangs where that is lost.
const TRIES: usize = 3;

type GetAddrInfo =
    unsafe extern "C" fn(*const c_char, *const c_char, *const addrinfo, *mut *mut addrinfo) -> c_int;

/// `getaddrinfo`: the C library's own, which gets an address in the place of a name.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    list: *mut *mut addrinfo,
) -> c_int {
    // SAFETY: null, or an `addrinfo`, as the caller promises; else zeroes, which are an `addrinfo` that asks for nothing.
    let mut wanted = unsafe { if hints.is_null() { std::mem::zeroed() } else { *hints } };
    // The kernel, which would be asked for its addresses, has none.
    wanted.ai_flags &= !libc::AI_ADDRCONFIG;
    if wanted.ai_family == libc::AF_UNSPEC {
        wanted.ai_family = libc::AF_INET;
    }
    // SAFETY: null or a text, as the caller promises.
    let name = (!node.is_null()).then(|| unsafe { CStr::from_ptr(node) });
    let text = match name.map(address_of).transpose() {
        Ok(text) => text.flatten(),
        Err(code) => return code,
    };
    let node = text.as_ref().map_or(node, |text| text.as_ptr());
    // SAFETY: the arguments are the caller's, or as good.
    unsafe {
        let next = libc::dlsym(libc::RTLD_NEXT, c"getaddrinfo".as_ptr());
        if next.is_null() {
            return libc::EAI_SYSTEM;
        }
        std::mem::transmute::<*mut c_void, GetAddrInfo>(next)(node, service, &raw const wanted, list)
    }
}

/// The address of `name` as text; none for what is one already.
fn address_of(name: &CStr) -> Result<Option<CString>, c_int> {
    let name = name.to_str().map_err(|_| libc::EAI_NONAME)?;
    if name.is_empty() || name == "localhost" || name.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    let addresses = resolve(name).map_err(|_| libc::EAI_AGAIN)?;
    let first = addresses.first().ok_or(libc::EAI_NONAME)?;
    Ok(CString::new(first.to_string()).ok())
}

fn resolve(name: &str) -> io::Result<Vec<IpAddr>> {
    let server: Ipv4Addr = fs::read_to_string(SERVER)?.trim().parse().map_err(io::Error::other)?;
    // relibc takes the number of the question from the clock, too.
    let id = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos() as u16);
    let options = OpenOptions { read: true, write: true, nonblocking: false };
    let unbound = client::open("udp", "", options)?;
    let mut socket = client::dup(&unbound, format!("{server}:{}", dns::PORT).as_bytes())?;
    let mut answer = [0; 1500];
    for _ in 0..TRIES {
        socket.write_all(&dns::question(id, name).map_err(io::Error::other)?)?;
        let mut waits = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: it is one, as said.
        if unsafe { libc::poll(&raw mut waits, 1, PATIENCE) } > 0 {
            let length = socket.read(&mut answer)?;
            return dns::addresses(id, answer.get(..length).unwrap_or_default()).map_err(io::Error::other);
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}
