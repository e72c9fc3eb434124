//! One line of a script, as far as the line runner knows the shell's language: words, quotes, `*`, `<`, `>`, `>>`, and
//! `&` at the end.

use std::path::{Path, PathBuf};

/// A command with its redirections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The command and its arguments, after `*`.
    pub words: Vec<String>,
    /// Where standard input comes from.
    pub input: Option<PathBuf>,
    /// Where standard output goes.
    pub output: Option<PathBuf>,
    /// To that file's end.
    pub append: bool,
    /// The next line does not wait for it.
    pub background: bool,
}

/// Why a line cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A quote has no end.
    Quote,
    /// `<` or `>` without a file.
    Redirection,
    /// Something that only a shell knows.
    Unknown(char),
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Quote => formatter.write_str("a quote has no end"),
            Self::Redirection => formatter.write_str("a redirection names no file"),
            Self::Unknown(character) => write!(
                formatter,
                "`{character}` needs a shell, and this system has none: lines are words, quotes, `*`, `<`, `>`, `>>`, `&` at the end"
            ),
        }
    }
}

impl std::error::Error for Error {}

enum Token {
    /// A word, and whether a `*` in it stands for names.
    Word(String, bool),
    Input,
    Output,
    Append,
    Background,
}

/// Parses a line; an empty one and a comment have no words.
pub fn parse(text: &str) -> Result<Line, Error> {
    let mut line = Line::default();
    let mut tokens = tokens(text)?.into_iter();
    while let Some(token) = tokens.next() {
        if let Token::Word(word, pattern) = token {
            line.words.extend(if pattern { names(&word) } else { vec![word] });
            continue;
        }
        if matches!(token, Token::Background) {
            line.background = true;
            // Two commands on a line are more than this knows.
            return tokens.next().map_or(Ok(line), |_| Err(Error::Unknown('&')));
        }
        let Some(Token::Word(file, _)) = tokens.next() else { return Err(Error::Redirection) };
        match token {
            Token::Input => line.input = Some(file.into()),
            _ => {
                line.output = Some(file.into());
                line.append = matches!(token, Token::Append);
            }
        }
    }
    Ok(line)
}

fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(&character) = characters.peek() {
        match character {
            '#' => break,
            '<' => tokens.push(Token::Input),
            '&' => tokens.push(Token::Background),
            '>' => {
                characters.next();
                let append = characters.peek() == Some(&'>');
                tokens.push(if append { Token::Append } else { Token::Output });
                if !append {
                    continue;
                }
            }
            _ if character.is_whitespace() => {}
            _ => {
                tokens.push(word(&mut characters)?);
                continue;
            }
        }
        characters.next();
    }
    Ok(tokens)
}

fn word(characters: &mut std::iter::Peekable<std::str::Chars>) -> Result<Token, Error> {
    let mut word = String::new();
    let mut pattern = false;
    while let Some(&character) = characters.peek() {
        match character {
            '<' | '>' | '&' => break,
            _ if character.is_whitespace() => break,
            '|' | ';' | '$' | '`' | '(' | ')' => return Err(Error::Unknown(character)),
            '\'' | '"' => {
                characters.next();
                loop {
                    match characters.next().ok_or(Error::Quote)? {
                        end if end == character => break,
                        '$' if character == '"' => return Err(Error::Unknown('$')),
                        inside => word.push(inside),
                    }
                }
                continue;
            }
            '\\' => {
                characters.next();
                word.push(*characters.peek().ok_or(Error::Quote)?);
            }
            _ => {
                pattern |= character == '*';
                word.push(character);
            }
        }
        characters.next();
    }
    Ok(Token::Word(word, pattern))
}

/// The paths that a pattern stands for, in order; itself, as in a shell, where there is none.
fn names(pattern: &str) -> Vec<String> {
    let root = if pattern.starts_with('/') { "/" } else { "" };
    let mut paths = vec![PathBuf::from(root)];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        paths = paths.iter().flat_map(|folder| step(folder, part)).collect();
    }
    paths.sort();
    if paths.is_empty() {
        return vec![pattern.to_owned()];
    }
    paths.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// One step down: a folder's entries that fit.
fn step(folder: &Path, part: &str) -> Vec<PathBuf> {
    if !part.contains('*') {
        return Some(folder.join(part)).filter(|path| path.exists()).into_iter().collect();
    }
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(listed).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| fits(part, name) && !name.starts_with('.')).map(|name| folder.join(name)).collect()
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits(tail, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        parse(text).unwrap().words
    }

    #[test]
    fn words_are_parted_by_space_and_held_together_by_quotes() {
        assert_eq!(words("  netcfg show  eth0 # all of it"), ["netcfg", "show", "eth0"]);
        assert_eq!(words(r#"echo 'a  b' "c # d"e\ f '' "#), ["echo", "a  b", "c # de f", ""]);
        assert_eq!(words("# nothing"), [""; 0]);
    }

    #[test]
    fn redirections_are_not_words() {
        let line = parse("cat </a/b >>c").unwrap();
        assert_eq!((line.words, line.input, line.append), (vec!["cat".into()], Some("/a/b".into()), true));
        assert_eq!(line.output, Some("c".into()));
        assert_eq!(parse("echo >c").map(|line| line.append), Ok(false));
    }

    #[test]
    fn a_line_may_end_in_the_background() {
        let line = parse("cat /a >b &  # and so on").unwrap();
        assert_eq!(
            (line.words, line.output, line.background),
            (vec!["cat".into(), "/a".into()], Some("b".into()), true)
        );
        assert_eq!(parse("cat /a").map(|line| line.background), Ok(false));
        assert_eq!(words("echo 'a & b'"), ["echo", "a & b"]);
        assert_eq!(parse("sleep 1 & sleep 2"), Err(Error::Unknown('&')));
        assert_eq!(parse("a && b"), Err(Error::Unknown('&')));
    }

    #[test]
    fn a_star_stands_for_names_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["network.b_e1000", "network.a_e1000", "netcfg"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("mac"), "").unwrap();
        }
        let root = folder.path().display();
        assert_eq!(
            words(&format!("cat {root}/network.*_e1000/mac")),
            ["cat".to_owned(), format!("{root}/network.a_e1000/mac"), format!("{root}/network.b_e1000/mac")]
        );
        assert_eq!(words(&format!("cat {root}/*/address")), ["cat".to_owned(), format!("{root}/*/address")]);
        assert_eq!(words("echo '*'"), ["echo", "*"]);
    }

    #[test]
    fn what_needs_a_shell_is_refused() {
        assert_eq!(parse("a | b"), Err(Error::Unknown('|')));
        assert_eq!(parse("echo \"$x\""), Err(Error::Unknown('$')));
        assert_eq!(parse("echo 'a"), Err(Error::Quote));
        assert_eq!(parse("echo >"), Err(Error::Redirection));
    }
}
