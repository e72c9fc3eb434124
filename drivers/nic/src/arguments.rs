//! What a driver's command line may say.

use hw::InterruptKind;

/// Why a command line cannot be followed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It says something else than it may.
    #[error("{0:?} is not understood; there may be `--interrupt KIND`, where KIND is one of {1}")]
    Unknown(String, String),
}

/// The kinds of interrupt that a driver may use which knows those in `known`: all, or with `--interrupt KIND` that one.
/// It is for machines on which another kind does not arrive.
pub fn interrupts(
    arguments: impl IntoIterator<Item = String>,
    known: &'static [InterruptKind],
) -> Result<&'static [InterruptKind], Refused> {
    let arguments: Vec<String> = arguments.into_iter().collect();
    let chosen = match arguments.as_slice() {
        [] => return Ok(known),
        // With more vectors or with fewer, it is the same kind.
        [option, kind] if option == "--interrupt" => known
            .chunk_by(|one, next| name(*one) == name(*next))
            .find(|same| same.iter().any(|known| name(*known) == kind)),
        _ => None,
    };
    chosen.ok_or_else(|| {
        let mut names: Vec<_> = known.iter().copied().map(name).collect();
        names.dedup();
        Refused::Unknown(arguments.join(" "), names.join(", "))
    })
}

/// As it stands on the command line.
fn name(kind: InterruptKind) -> &'static str {
    match kind {
        InterruptKind::Intx => "intx",
        InterruptKind::Msi => "msi",
        InterruptKind::MsiX { .. } => "msix",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[InterruptKind] =
        &[InterruptKind::MsiX { vectors: 1 }, InterruptKind::Msi, InterruptKind::Intx];

    fn of(arguments: &[&str]) -> Result<&'static [InterruptKind], Refused> {
        interrupts(arguments.iter().map(|argument| (*argument).to_owned()), KNOWN)
    }

    #[test]
    fn a_driver_uses_any_interrupt_unless_one_is_named() {
        assert_eq!(of(&[]), Ok(KNOWN));
        assert_eq!(of(&["--interrupt", "msi"]), Ok(&[InterruptKind::Msi][..]));
        assert_eq!(of(&["--interrupt", "msix"]), Ok(&[InterruptKind::MsiX { vectors: 1 }][..]));
    }

    #[test]
    fn what_is_not_understood_is_said_with_what_would_be() {
        for wrong in
            [&["--interrupt", "smoke"][..], &["--interrupt"], &["-v"], &["--interrupt", "msi", "msi"]]
        {
            let refusal = of(wrong).map_err(|refusal| refusal.to_string());
            let message = "there may be `--interrupt KIND`, where KIND is one of msix, msi, intx";
            assert!(refusal.is_err_and(|refusal| refusal.contains(message)), "{wrong:?}");
        }
    }
}
