//! What requests to schemes are made of.

use redox_scheme::{Request, RequestKind};
use scheme::CallerCtx;

use crate::input::Input;

/// One of `known`, or any text, which is chosen as often as `others` of them.
pub fn one_of(known: &[&str], others: usize, input: &mut Input<'_>) -> String {
    match known.get(usize::from(input.u8()) % (known.len() + others)) {
        Some(text) => (*text).to_owned(),
        None => {
            let length = input.u8();
            String::from_utf8_lossy(input.bytes(length.into())).into_owned()
        }
    }
}

/// One who asks.
pub fn caller(uid: u32) -> CallerCtx {
    let RequestKind::Call(request) = Request::default().kind() else { panic!("not a call") };
    CallerCtx { uid, ..request.caller() }
}
