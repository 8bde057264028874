//! [`Plot`]: lines over logarithmic axes, as an SVG picture.

use std::fmt::Write as _;
use std::path::Path;

/// Some series of points, each axis by powers of ten.
#[derive(Clone, Debug)]
pub struct Plot {
    title: String,
    axes: (String, String),
    series: Vec<Series>,
}

#[derive(Clone, Debug)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    dashed: bool,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 6] = ["#0b6e4f", "#1b6ca8", "#8e44ad", "#c0392b", "#e67e22", "#7f8c8d"];

impl Plot {
    /// An empty picture; `across` and `up` say what the axes mean.
    #[must_use]
    pub fn new(title: &str, across: &str, up: &str) -> Self {
        Self { title: title.into(), axes: (across.into(), up.into()), series: Vec::new() }
    }

    /// Adds a line through points of positive numbers; dashed for figures of others.
    pub fn series(&mut self, name: &str, dashed: bool, points: Vec<(f64, f64)>) {
        self.series.push(Series { name: name.into(), points, dashed });
    }

    /// Writes the picture.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        std::fs::write(path, self.svg())
    }

    fn svg(&self) -> String {
        let all = || self.series.iter().flat_map(|series| &series.points);
        let (xs, ys) = (powers(all().map(|point| point.0)), powers(all().map(|point| point.1)));
        let x = |value: f64| LEFT + (value.log10() - xs.0) / (xs.1 - xs.0) * (WIDTH - LEFT - RIGHT);
        let y =
            |value: f64| HEIGHT - BOTTOM - (value.log10() - ys.0) / (ys.1 - ys.0) * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{}</text>\n",
            self.title
        );
        let (right, foot) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut power = xs.0;
        while power <= xs.1 {
            let at = x(10_f64.powf(power));
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {TOP}V{foot}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
                 text-anchor=\"middle\">{}</text>",
                foot + 18.0,
                grouped(power)
            );
            power += 1.0;
        }
        let mut power = ys.0;
        while power <= ys.1 {
            let at = y(10_f64.powf(power));
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                at + 4.0,
                grouped(power)
            );
            power += 1.0;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            (LEFT + right) / 2.0,
            HEIGHT - 12.0,
            self.axes.0,
            (TOP + foot) / 2.0,
            self.axes.1
        );
        for (index, series) in self.series.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let points: Vec<String> =
                series.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
            let dashes = if series.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
            let level = TOP + 12.0 + 20.0 * index as f64;
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\n\
                 <path d=\"M{:.1} {level:.1}h24\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                points.join(" "),
                right + 14.0,
                right + 44.0,
                level + 4.0,
                series.name
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// The powers of ten around some numbers.
fn powers(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        least = least.min(value.log10().floor());
        most = most.max(value.log10().ceil());
    }
    if least < most { (least, most) } else { (0.0, 1.0) }
}

fn grouped(power: f64) -> String {
    match power as i32 {
        ..=2 => format!("{}", 10_f64.powf(power)),
        power @ 3..=5 => format!("{},000", 10_f64.powi(power - 3)),
        power => format!("{},000,000", 10_f64.powi(power - 6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_where_they_belong() {
        let mut plot = Plot::new("t", "nodes", "per second");
        plot.series("ours", false, vec![(100.0, 10.0), (10_000.0, 1_000.0)]);
        let svg = plot.svg();
        assert!(svg.contains("<polyline points=\"70.0,370.0 510.0,40.0\""), "{svg}");
        assert!(svg.contains(">10,000<"), "{svg}");
    }
}
