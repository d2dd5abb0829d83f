//! The plot, as SVG: how many of the objects were Ready at what time. Knows nothing of what it shows.

use std::fmt::Write as _;

/// One line of the plot: the times, ascending, at which one more object was Ready.
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) seconds: Vec<f64>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 360.0;
const MARGIN: f64 = 56.0;
const COLOURS: [&str; 4] = ["#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce"];
/// Points of one line; more cannot be seen.
const POINTS: usize = 200;

/// Share of the objects that are Ready, over seconds, a line for each curve.
pub(crate) fn svg(curves: &[Curve]) -> String {
    let longest = curves.iter().filter_map(|curve| curve.seconds.last()).copied().fold(1.0, f64::max);
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
"#
    );
    axes(&mut svg, longest);
    for (index, (curve, colour)) in curves.iter().zip(COLOURS.iter().cycle()).enumerate() {
        line(&mut svg, curve, colour, longest);
        legend(&mut svg, curve, colour, index);
    }
    svg.push_str("</svg>\n");
    svg
}

fn x(seconds: f64, longest: f64) -> f64 {
    (WIDTH - 2.0 * MARGIN).mul_add(seconds / longest, MARGIN)
}

fn y(share: f64) -> f64 {
    (HEIGHT - 2.0 * MARGIN).mul_add(-share, HEIGHT - MARGIN)
}

fn axes(svg: &mut String, longest: f64) {
    for quarter in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (left, right, at) = (MARGIN, WIDTH - MARGIN, y(quarter));
        element(svg, &format!(r##"<line x1="{left}" x2="{right}" y1="{at:.1}" y2="{at:.1}" stroke="#ddd"/>"##));
        text(svg, left - 8.0, at + 4.0, "end", &format!("{:.0} %", quarter * 100.0));
    }
    for tenth in 0..=10_u32 {
        let seconds = longest * f64::from(tenth) / 10.0;
        text(svg, x(seconds, longest), HEIGHT - MARGIN + 18.0, "middle", &format!("{seconds:.1}"));
    }
    text(svg, WIDTH / 2.0, HEIGHT - 14.0, "middle", "seconds since the first object was written");
    text(svg, MARGIN, MARGIN - 16.0, "start", "TechnicalUsers and RoleBindings that are Ready");
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand objects")]
fn line(svg: &mut String, curve: &Curve, colour: &str, longest: f64) {
    let (all, step) = (curve.seconds.len(), curve.seconds.len().div_ceil(POINTS).max(1));
    let mut points = format!("{:.1},{:.1}", x(0.0, longest), y(0.0));
    let last = all.saturating_sub(1);
    for index in (0..all).filter(|index| index % step == 0 || *index == last) {
        let share = (index + 1) as f64 / all as f64;
        // Writing to a String cannot fail.
        let _ = write!(points, " {:.1},{:.1}", x(curve.seconds[index], longest), y(share));
    }
    element(svg, &format!(r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>"#));
}

#[expect(clippy::cast_precision_loss, reason = "a handful of curves")]
fn legend(svg: &mut String, curve: &Curve, colour: &str, index: usize) {
    let (left, top) = (WIDTH - MARGIN - 220.0, (index as f64).mul_add(18.0, HEIGHT - MARGIN - 60.0));
    element(svg, &format!(r#"<rect x="{left}" y="{top}" width="12" height="12" fill="{colour}"/>"#));
    text(svg, left + 18.0, top + 10.0, "start", &curve.name);
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    element(svg, &format!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#));
}

fn element(svg: &mut String, element: &str) {
    svg.push_str(element);
    svg.push('\n');
}
