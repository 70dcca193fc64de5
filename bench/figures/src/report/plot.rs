//! The results as bars: how many times better than its peer each of ours is.

use std::fmt::Write as _;

use crate::comparison::Comparison;

const LABELS: f64 = 430.0;
const WIDTH: f64 = 400.0;
const ROW: f64 = 26.0;

/// A picture of one group in SVG. The scale is logarithmic: twice as good is as far to the right as half is to the left.
pub(super) fn bars(group: &str, comparisons: &[Comparison]) -> String {
    let rows: Vec<_> = comparisons
        .iter()
        .filter_map(|row| Some((row, row.ratio.filter(|ratio| ratio.is_finite() && *ratio > 0.0)?)))
        .collect();
    let furthest = rows
        .iter()
        .flat_map(|(row, ratio)| [Some(*ratio), row.target])
        .flatten()
        .map(|ratio| ratio.ln().abs())
        .fold(1.0, f64::max);
    let left = rows.iter().map(|(_, ratio)| -ratio.ln()).fold(0.0, f64::max);
    let scale = WIDTH / (furthest + left);
    let x = |ratio: f64| LABELS + (left + ratio.ln()) * scale;
    let height = ROW * rows.len() as f64 + 50.0;
    let total = LABELS + WIDTH + 90.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{total}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{group}: times as good as the peer (▏: target)</text>\n",
    );
    for (place, (row, ratio)) in rows.iter().enumerate() {
        let top = 34.0 + ROW * place as f64;
        let (from, to) = (x(1.0).min(x(*ratio)), x(1.0).max(x(*ratio)));
        let color = if row.target_met == Some(false) { "#c2410c" } else { "#0f766e" };
        let label = format!("{} · {}", row.name, row.peer_name.as_deref().unwrap_or_default());
        _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{from:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"16\" fill=\"{color}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\">{ratio:.2}×</text>",
            LABELS - 8.0,
            top + 12.0,
            escaped(&label),
            (to - from).max(1.0),
            to + 6.0,
            top + 12.0,
        );
        if let Some(target) = row.target {
            _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"2\" height=\"20\" fill=\"#111827\"/>",
                x(target) - 1.0,
                top - 2.0
            );
        }
    }
    let bottom = 34.0 + ROW * rows.len() as f64;
    _ = writeln!(
        svg,
        "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"28\" y2=\"{bottom:.1}\" stroke=\"#9ca3af\"/>\n</svg>",
        x(1.0)
    );
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
