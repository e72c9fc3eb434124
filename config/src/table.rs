//! Text in columns.

/// Rows whose cells stand below each other.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = cell.len().max(*width));
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A table below its titles; nothing without rows.
pub fn titled<const N: usize>(titles: [&str; N], rows: Vec<[String; N]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let all: Vec<_> = std::iter::once(titles.map(str::to_owned)).chain(rows).collect();
    columns(&all).iter().map(|line| format!("{line}\n")).collect()
}
