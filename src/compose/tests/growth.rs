//! Reading takes time in proportion to what is read. What is compared is the processor's time of this thread for a file and
//! for one four times as long, so a busy machine changes nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::*;

/// What four times as much may take: four times as long, and what sorting, caches and a busy neighbour add. Squared it
/// would be sixteen times.
const GROWTH_MAX: f64 = 9.0;

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

/// The least of several runs, in seconds.
fn seconds(files: &Memory) -> f64 {
    let sources = Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), files);
    let run = |_| {
        let begin = processor_time();
        match load(&sources) {
            Ok(loaded) => drop(render::json(&loaded.project)),
            Err(broken) => assert_ne!(broken.faults[0].code, Some("too-large"), "{}", broken.faults[0]),
        }
        (processor_time() - begin).as_secs_f64()
    };
    (0..3).map(run).fold(f64::INFINITY, f64::min)
}

/// Holds a kind of file to linear growth: `make` gives one of so many parts.
fn grows_linearly(what: &str, parts: usize, make: impl Fn(usize) -> Vec<(&'static str, String)>) {
    let of = |parts: usize| {
        let files = make(parts).into_iter().map(|(name, text)| (PathBuf::from("/srv/app").join(name), text));
        seconds(&Memory(files.collect()))
    };
    let (small, large) = (of(parts), of(parts * 4));
    assert!(large / small < GROWTH_MAX, "{what}: {small:.4} s of {parts}, {large:.4} s of {}", parts * 4);
}

fn repeated(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

#[test]
fn time_grows_with_the_length_of_a_file() {
    let one = |text: String| vec![("compose.yaml", text)];
    let service = |fields: String| one(format!("services:\n  a:\n    image: x\n{fields}"));
    grows_linearly("services", 250, |n| {
        let part = |i| format!("  s{i}:\n    image: x:{i}\n    environment: {{A: '1'}}\n    ports: ['{i}:80']\n");
        one(format!("services:\n{}", repeated(n, part)))
    });
    for (field, item) in [
        ("environment", "K#=v"),
        ("labels", "k#=v"),
        ("volumes", "./a#:/b#"),
        ("expose", "'#'"),
        ("ports", "'#:#'"),
        ("extra_hosts", "h#=1.1.1.1"),
        ("cap_add", "C#"),
        ("devices", "/dev/a#:/dev/b#"),
        ("tmpfs", "/t#"),
        ("command", "w#"),
    ] {
        grows_linearly(field, 500, |n| {
            service(format!(
                "    {field}:\n{}",
                repeated(n, |i| format!("      - {}\n", item.replace('#', &(i + 1).to_string())))
            ))
        });
    }
    grows_linearly("one long command", 4_000, |n| service(format!("    command: \"{}\"\n", "a 'b' ".repeat(n))));
    grows_linearly("one long text", 20_000, |n| service(format!("    command: [\"{}\"]\n", "a\\n".repeat(n))));
    grows_linearly("variables", 4_000, |n| service(format!("    command: ['{}']\n", "${A:-${B:-c}}".repeat(n))));
    grows_linearly("comments", 20_000, |n| {
        one(format!("{}services: {{a: {{image: x}}}}\n", "# a comment\n".repeat(n)))
    });
    grows_linearly("aliases", 200, |n| {
        let services = repeated(n, |i| format!("  s{i}: {{<<: *b, hostname: h{i}}}\n"));
        one(format!("x-b: &b {{image: x, labels: {{a: b, c: d}}}}\nservices:\n{services}"))
    });
    grows_linearly("extends", 200, |n| {
        one(format!(
            "services:\n  b: {{image: x}}\n{}",
            repeated(n, |i| format!("  s{i}: {{extends: b, hostname: h{i}}}\n"))
        ))
    });
    grows_linearly("extends of a file", 200, |n| {
        let services = repeated(n, |i| format!("  s{i}: {{extends: {{file: e.yaml, service: s{i}}}}}\n"));
        vec![
            ("compose.yaml", format!("services:\n{services}")),
            ("e.yaml", format!("services:\n{}", repeated(n, |i| format!("  s{i}: {{image: x}}\n")))),
        ]
    });
    grows_linearly("includes", 50, |n| {
        let include = repeated(n, |_| "  - i.yaml\n".to_owned());
        vec![
            ("compose.yaml", format!("include:\n{include}services: {{a: {{image: x}}}}\n")),
            ("i.yaml", "services: {b: {image: y}}\n".to_owned()),
        ]
    });
    grows_linearly("env files", 1_000, |n| {
        let values = repeated(n, |i| format!("K{i}=\"v{i}\" # ${{A:-b}}\n"));
        vec![("compose.yaml", "services: {a: {image: x, env_file: e.env}}\n".to_owned()), ("e.env", values)]
    });
    grows_linearly("faults", 500, |n| one(format!("services:\n{}", repeated(n, |i| format!("  s{i}: {{imag: x}}\n")))));
}
