//! The report: a table with the target beside what was measured, the same as JSON, and a plot, under `target/bench/`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::plot::{self, Curve};

/// Everything that was measured, in the order in which it is shown.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    curves: Vec<Curve>,
    details: Map<String, Value>,
}

struct Row {
    what: String,
    value: f64,
    unit: &'static str,
    target: Option<Target>,
}

/// What is aimed at.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    fn print(self) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {}", short(limit)),
            Self::AtLeast(limit) => format!("≥ {}", short(limit)),
        }
    }
}

impl Report {
    /// A figure, with its target if it has one. Said at once, since a whole run takes minutes.
    pub(crate) fn row(&mut self, what: &str, value: f64, unit: &'static str, target: Option<Target>) {
        let row = Row { what: what.to_owned(), value, unit, target };
        eprintln!("{}", row.print());
        self.rows.push(row);
    }

    /// A curve of the plot.
    pub(crate) fn curve(&mut self, name: &str, times: &[Duration]) {
        self.curves.push(Curve { name: name.to_owned(), seconds: times.iter().map(Duration::as_secs_f64).collect() });
    }

    /// Something that only the JSON shows.
    pub(crate) fn detail(&mut self, name: &str, value: Value) {
        self.details.insert(name.to_owned(), value);
    }

    /// Everything of another one, below what is here.
    pub(crate) fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.curves.extend(other.curves);
        self.details.extend(other.details);
    }

    /// Writes `operator.json` and `operator.svg`, prints the table.
    pub(crate) fn publish(&self) {
        let folder = folder();
        fs::create_dir_all(&folder).expect("make the folder of the report");
        let json = serde_json::to_string_pretty(&self.json()).expect("JSON");
        fs::write(folder.join("operator.json"), json).expect("write the JSON");
        fs::write(folder.join("operator.svg"), plot::svg(&self.curves)).expect("write the plot");
        println!("{}", self.table());
        println!("also in {}", folder.display());
    }

    fn table(&self) -> String {
        let mut table = format!("{:<58} {:>12}  {:<7} {:>10}\n", "", "measured", "", "target");
        for row in &self.rows {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{}", row.print());
        }
        table
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "what": row.what, "value": row.value, "unit": row.unit,
                "target": row.target.map(Target::print), "met": row.target.map(|target| target.is_met(row.value)),
            })
        });
        json!({ "rows": rows.collect::<Vec<_>>(), "details": self.details })
    }
}

impl Row {
    fn print(&self) -> String {
        let (target, verdict) = self.target.map_or_else(Default::default, |target| {
            (target.print(), if target.is_met(self.value) { "" } else { "  missed" })
        });
        format!("{:<58} {:>12.2}  {:<7} {target:>10}{verdict}", self.what, self.value, self.unit)
    }
}

/// Whole numbers without a fraction.
fn short(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

/// `target/bench`, wherever cargo keeps its target folder.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder").join("bench")
}
