//! Inputs that are small and mean much, and inputs that are just large: each ends soon, in little memory, with a fault that
//! says why; none on the stack. The process is measured from outside, as the kernel counts it.

use crate::run::Folder;
use std::{
    io::Read,
    process::Stdio,
    time::{Duration, Instant},
};

/// The most memory that a refusal may take.
const MEGABYTES_MAX: i64 = 200;
/// One second, and what a build without optimisation on a busy machine takes more.
const SECONDS_MAX: u64 = if cfg!(debug_assertions) { 40 } else { 1 };

/// How a process ended: its code, what it said, its peak of memory in megabytes, and how long it took.
struct Ended {
    code: Option<i32>,
    said: String,
    megabytes: i64,
    took: Duration,
}

#[allow(clippy::zombie_processes, reason = "it is waited for with wait4, which counts its memory too")]
fn config(files: &[(&str, &str)]) -> Ended {
    let folder = Folder::of(files);
    let begin = Instant::now();
    let mut command = folder.command(&["config", "-f", "compose.yaml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut said = Vec::new();
    child.stderr.take().expect("a pipe").read_to_end(&mut said).expect("it talks");
    let id = i32::try_from(child.id()).expect("a pid");
    let mut status = 0;
    // SAFETY: `rusage` is numbers alone, for which zeros are good; the process is our child and not waited for yet.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::wait4(id, &raw mut status, 0, &raw mut usage), id);
        usage
    };
    Ended {
        code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
        said: String::from_utf8_lossy(&said).into_owned(),
        megabytes: usage.ru_maxrss / 1024,
        took: begin.elapsed(),
    }
}

/// Holds what was refused to the bounds, and to the word that it must say.
fn refused(files: &[(&str, &str)], why: &str) {
    let ended = config(files);
    let said = &ended.said[..ended.said.floor_char_boundary(3000)];
    assert_eq!(ended.code, Some(2), "{said}");
    assert!(said.contains(why), "`{why}` is not in: {said}");
    assert!(ended.megabytes <= MEGABYTES_MAX, "{why}: {} MB", ended.megabytes);
    assert!(ended.took.as_secs() <= SECONDS_MAX, "{why}: {:?}", ended.took);
}

fn refused_text(text: &str, why: &str) {
    refused(&[("compose.yaml", text)], why);
}

const SERVICE: &str = "services: {a: {image: x}}\n";

#[test]
fn a_file_of_ten_megabytes() {
    refused_text(&format!("{SERVICE}x-a: '{}'\n", "a".repeat(10 << 20)), "more than 8388608 bytes");
    refused_text(&format!("{SERVICE}x-a: '{}'\n", "a".repeat(5 << 20)), "more than the 4194304 that are read");
    let many: String = (0..300_000).map(|n| format!("  s{n}: {{image: 'x:{n}', init: true}}\n")).collect();
    assert!(many.len() > 10 << 20);
    refused_text(&format!("services:\n{many}"), "more than 8388608 bytes");
    refused(
        &[("compose.yaml", SERVICE), (".env", &format!("A={}\n", "a".repeat(10 << 20)))],
        "more than 8388608 bytes",
    );
}

#[test]
fn a_file_of_many_small_things() {
    let many: String = (0..130_000).map(|n| format!("  s{n}: {{image: x}}\n")).collect();
    refused_text(&format!("services:\n{many}"), "too large");
    refused_text(&format!("{SERVICE}{}", "---\nx-a: b\n".repeat(300_000)), "too large");
}

#[test]
fn many_directives() {
    let many: String = (0..200_000).map(|n| format!("%TAG !a{n}! b\n")).collect();
    refused_text(&format!("{many}%TAG !a0! b\n---\n{SERVICE}"), "found duplicate %TAG directive");
}

#[test]
fn aliases_of_aliases() {
    let level = |n: usize| format!("x-{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","));
    let lists: String = (1..12).map(level).collect();
    refused_text(&format!("x-0: &a0 [lol]\n{lists}{SERVICE}"), "its anchors");
    let level = |n: usize| {
        let fields: Vec<String> = (0..9).map(|k| format!("k{k}: *a{}", n - 1)).collect();
        format!("x-{n}: &a{n} {{{}}}\n", fields.join(", "))
    };
    let mappings: String = (1..12).map(level).collect();
    refused_text(&format!("x-0: &a0 {{a: lol}}\n{mappings}{SERVICE}"), "its anchors");
}

#[test]
fn aliases_through_merge_keys() {
    let level = |n: usize| {
        format!("x-{n}: &a{n} {{<<: [{}], y{n}: *a{1}}}\n", vec![format!("*a{}", n - 1); 9].join(", "), n - 1)
    };
    let levels: String = (1..20).map(level).collect();
    refused_text(&format!("x-0: &a0 {{k: v}}\n{levels}{SERVICE}"), "its anchors");
    let fields: String = (0..5_000).map(|n| format!("k{n}: v, ")).collect();
    let list = vec!["*a"; 20_000].join(", ");
    refused_text(&format!("x-0: &a {{{fields}}}\nx-1: {{<<: [{list}]}}\n{SERVICE}"), "its anchors");
}

#[test]
fn chains_of_extends() {
    let down: String = (1..5_000).map(|n| format!("  s{n}: {{extends: s{}}}\n", n - 1)).collect();
    refused_text(&format!("services:\n  s0: {{image: x}}\n{down}"), "circular reference");
    let up: String = (0..5_000).map(|n| format!("  s{n}: {{extends: s{}}}\n", n + 1)).collect();
    refused_text(&format!("services:\n{up}  s5000: {{image: x}}\n"), "circular reference");
}

#[test]
fn a_large_service_extended_often() {
    let services: String =
        (0..20_000).map(|n| format!("  s{n}: {{extends: {{file: e.yaml, service: b}}}}\n")).collect();
    let environment: String = (0..1_000).map(|n| format!("K{n}: v, ")).collect();
    let extended = format!("services: {{b: {{image: x, environment: {{{environment}}}}}}}\n");
    refused(&[("compose.yaml", &format!("services:\n{services}")), ("e.yaml", &extended)], "too large");
}

#[test]
fn includes_in_a_cycle() {
    refused_text(&format!("include: [compose.yaml]\n{SERVICE}"), "include cycle");
    let first = format!("include: [b.yaml]\n{SERVICE}");
    refused(&[("compose.yaml", &first), ("b.yaml", "include: [compose.yaml]\n")], "include cycle");
    let chain: Vec<(String, String)> =
        (0..300).map(|n| (format!("i{n}.yaml"), format!("include: [i{}.yaml]\n", n + 1))).collect();
    let mut files: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.extend([("compose.yaml", "include: [i0.yaml]\n"), ("i300.yaml", SERVICE)]);
    refused(&files, "include cycle");
}

#[test]
fn includes_that_fan_out() {
    // Two files a folder, each including both of the next one: two to the power of thirty.
    let level =
        |n: usize, name: &str| (format!("{}{name}.yaml", "d/".repeat(n)), "include: [d/c.yaml, d/e.yaml]\n".to_owned());
    let made: Vec<(String, String)> = (1..30).flat_map(|n| [level(n, "c"), level(n, "e")]).collect();
    let mut files: Vec<(&str, &str)> = made.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("compose.yaml", "include: [d/c.yaml, d/e.yaml]\n"));
    refused(&files, "too large");
    let often = format!("include: [{}]\n{SERVICE}", vec!["i.yaml"; 50_000].join(", "));
    refused(&[("compose.yaml", &often), ("i.yaml", "services: {b: {image: y}}\n")], "too large");
}

#[test]
fn variables_in_variables() {
    let text = |value: &str| format!("services: {{a: {{image: x, command: '{value}'}}}}\n");
    refused_text(&text(&format!("{}{}", "${A:-".repeat(5_000), "}".repeat(5_000))), "nested deeper");
    refused_text(&text(&"${A:-".repeat(100_000)), "invalid interpolation format");
    let long = format!("Z={}\n", "z".repeat(100_000));
    let list = vec!["'$Z'"; 30_000].join(", ");
    refused(
        &[("compose.yaml", &format!("services: {{a: {{image: x, command: [{list}]}}}}\n")), (".env", &long)],
        "too large",
    );
    refused(&[("compose.yaml", &text(&"$Z".repeat(30_000))), (".env", &long)], "too large");
    let doubled: String = (1..60).map(|n| format!("A{n}=$A{0}$A{0}\n", n - 1)).collect();
    refused(&[("compose.yaml", SERVICE), (".env", &format!("A0=xxxxxxxx\n{doubled}"))], "too large");
}

#[test]
fn collections_in_collections() {
    let deep = 100_000;
    for text in [
        format!("x-a: {}{}\n", "[".repeat(deep), "]".repeat(deep)),
        format!("x-a: {}\n", "[".repeat(deep)),
        format!("x-a: {}{}\n", "{a: ".repeat(deep), "}".repeat(deep)),
        format!("x-a:\n  {}a\n", "- ".repeat(deep)),
        format!("x-a:\n{}", (1..2_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>()),
    ] {
        let ended = config(&[("compose.yaml", &format!("{SERVICE}{text}"))]);
        assert_eq!(ended.code, Some(2), "{}", &ended.said[..ended.said.len().min(2000)]);
        assert!(ended.megabytes <= MEGABYTES_MAX && ended.took.as_secs() <= SECONDS_MAX);
    }
    // As deep as is read, where everything that a field goes through is recursive.
    let nested = format!("{}b{}", "{a: ".repeat(240), "}".repeat(240));
    refused_text(&format!("services: {{a: {{image: x, logging: {{options: {nested}}}}}}}\n"), "must be");
    let ended = config(&[("compose.yaml", &format!("{SERVICE}x-a: {nested}\n"))]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

#[test]
fn env_files_read_by_many_services() {
    let services: String = (0..3_000).map(|n| format!("  s{n}: {{image: x, env_file: e.env}}\n")).collect();
    let values: String = (0..20_000).map(|n| format!("K{n}=v{n}\n")).collect();
    refused(&[("compose.yaml", &format!("services:\n{services}")), ("e.env", &values)], "too large");
}

#[test]
fn ranges_of_ports() {
    let ports: String = (1..200).map(|n| format!("'{n}.0.0.1:1-65535:1-65535', ")).collect();
    refused_text(&format!("services: {{a: {{image: x, ports: [{ports}]}}}}\n"), "more than 65536 ports");
}

#[test]
fn thousands_of_faults() {
    let services: String = (0..50_000).map(|n| format!("  s{n}: {{imag: x}}\n")).collect();
    refused_text(&format!("services:\n{services}"), "unknown field 'imag'");
}
