//! Several processes on one home, and processes that are killed. A child is this test binary again, told by a variable
//! what to do.

use super::*;
use crate::{
    engine::clock::SystemClock,
    home::{EventQuery, Holder, LockError, revisions, store::Durability},
    model::units::Millis,
};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

const TASK: &str = "EVENKEEL_TEST_TASK";
const DIR: &str = "EVENKEEL_TEST_DIR";

/// A child that does a task; killed when the test ends.
struct Worker(Child);

impl Worker {
    fn start(task: &str, dir: &Path) -> Worker {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "home::tests::processes::what_a_child_does", "--nocapture"])
            .envs([(TASK, task.as_ref()), (DIR, dir.as_os_str())])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Worker(child)
    }

    /// Waits until it says this.
    fn wait_for(&mut self, word: &str) {
        let mut lines = BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(word)), "the child ended without saying {word}");
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn say(word: &str) {
    // Straight to the file: what `println!` writes is captured by the test harness in some settings.
    std::io::stdout().write_all(format!("{word}\n").as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}

fn die() -> ! {
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
    loop {
        std::thread::park();
    }
}

#[tokio::test]
async fn what_a_child_does() {
    let (Ok(task), Some(dir)) = (std::env::var(TASK), std::env::var_os(DIR)) else {
        return;
    };
    let dir = Path::new(&dir);
    match task.as_str() {
        "hold" => {
            let holder = Holder { actor: "child".into(), doing: "apply core".into() };
            let home = open(dir);
            let _guard = home.lock(holder, Millis(0), &SystemClock::start()).await.unwrap();
            say("held");
            std::thread::park();
        }
        "work" => {
            let home = open(dir);
            for round in 0_u64.. {
                work(&home, round);
                if round == 0 {
                    say("working");
                }
            }
        }
        "thirty" => {
            let home = open(dir);
            for round in 1..=30 {
                apply(&home, &[("core", &format!("core:{round}"))]);
                home.append(&[event("round", round, Severity::Info)]).unwrap();
            }
        }
        "die-in-a-revision" => {
            let home = open(dir);
            let NewRevision { made, by, reason, desired, images, hashes, .. } =
                new(desired(&[("core", "core:9")]), "apply");
            let body = revisions::Body { desired: desired.into(), images, hashes };
            let draft = revisions::Draft { made, by, reason, body, records: BTreeMap::new() };
            let written: Result<(), _> = home.store.write(Durability::PowerCut, |transaction| {
                home.insert(transaction, 2, &draft)?;
                die()
            });
            written.unwrap();
        }
        other => panic!("no task {other}"),
    }
}

/// A bit of everything that writes. After each call the home is in one of the states that `check` knows.
fn work(home: &Home, round: u64) {
    let base = apply(home, &[("core", "core:good"), ("web", "web:1")]);
    home.rollout_done(&names(&["core", "web"])).unwrap();
    apply(home, &[("core", &format!("core:{round}")), ("web", "web:1")]);
    let failed = super::undo::failed(&["core"], &[]);
    home.rollout_failed(Some(base), &failed, false, Timestamp(2), &by("child")).unwrap();
    home.append(&[event("first", 1, Severity::Info), event("second", 1, Severity::Info)]).unwrap();
    home.keep_evidence(&evidence("core", &"x".repeat(10_000))).unwrap();
}

fn check(home: &Home) {
    let verdict: String =
        home.store.read(|db| Ok(db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?)).unwrap();
    assert_eq!(verdict, "ok");
    let current = home.current().unwrap().unwrap();
    assert_eq!(current.hashes, hashes_of(&current.desired, &current.images));
    for summary in home.list().unwrap() {
        let revision = home.revision(summary.number).unwrap().unwrap();
        assert_eq!(revision.desired.services.len(), summary.services.len());
        if revision.reason.starts_with("undone") {
            assert_eq!(revision.desired, desired(&[("core", "core:good"), ("web", "web:1")]));
        }
    }
    if current.reason.starts_with("undone") {
        assert!(home.facts().unwrap().failed.contains_key(&"core".into()), "both or neither");
    }
    assert!(home.events(&EventQuery::default()).unwrap().len().is_multiple_of(2), "both or neither");
    for summary in home.evidence_list().unwrap() {
        assert_eq!(home.evidence(summary.id).unwrap().unwrap().log.len(), 10_000);
    }
}

#[test]
fn a_process_killed_at_any_instant_leaves_a_whole_home() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0_u64..15 {
        let mut worker = Worker::start("work", dir.path());
        worker.wait_for("working");
        // Not a wait for something: it only makes the instants differ.
        std::thread::sleep(std::time::Duration::from_micros(700 * round));
        worker.kill();
        let seen = Home::read(dir.path(), &stack()).unwrap().unwrap().current().unwrap();
        let home = open(dir.path());
        assert_eq!(home.moved_aside(), None);
        assert_eq!(home.current().unwrap(), seen, "who only reads sees what a writer would find");
        check(&home);
    }
}

#[test]
fn reading_works_while_another_process_writes() {
    let dir = tempfile::tempdir().unwrap();
    let mut worker = Worker::start("work", dir.path());
    worker.wait_for("working");
    let reader = Home::read(dir.path(), &stack()).unwrap().unwrap();
    let mut last = 0;
    for _ in 0..200 {
        for home in [&reader, &Home::read(dir.path(), &stack()).unwrap().unwrap()] {
            let number = home.current().unwrap().unwrap().number;
            assert!(number >= last);
            last = number;
        }
    }
    while reader.current().unwrap().unwrap().number <= last {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    worker.kill();
    let number = reader.current().unwrap().unwrap().number;
    assert_eq!(apply(&open(dir.path()), &[]), number + 1);
    assert_eq!(reader.current().unwrap().unwrap().number, number + 1);
}

#[test]
fn a_process_killed_within_a_transaction_has_done_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    apply(&home, &[("core", "core:1")]);
    let before = home.current().unwrap();
    let mut worker = Worker::start("die-in-a-revision", dir.path());
    assert!(!worker.0.wait().unwrap().success());
    assert_eq!(home.current().unwrap(), before);
    assert_eq!(home.list().unwrap()[0].services.len(), 1);
    assert_eq!(apply(&home, &[("core", "core:2")]), 2);
    drop(home);
    assert_eq!(open(dir.path()).current().unwrap().unwrap().number, 2);
}

#[test]
fn processes_that_start_and_write_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut workers: Vec<Worker> = (0..3).map(|_| Worker::start("thirty", dir.path())).collect();
    for worker in &mut workers {
        assert!(worker.0.wait().unwrap().success());
    }
    let home = open(dir.path());
    assert_eq!(home.current().unwrap().unwrap().number, 90);
    let seqs: Vec<u64> = home.events(&EventQuery::default()).unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=90).collect::<Vec<u64>>());
}

#[tokio::test]
async fn the_lock_of_a_killed_process_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    let clock = SystemClock::start();
    let holder = Holder { actor: "ann".into(), doing: "apply".into() };
    let mut worker = Worker::start("hold", dir.path());
    worker.wait_for("held");
    let error = home.lock(holder.clone(), Millis(0), &clock).await.unwrap_err();
    let LockError::Held { actor, doing, since } = error else { panic!("{error}") };
    assert_eq!((actor.as_str(), doing.as_str()), ("child", "apply core"));
    assert!(since > Timestamp(1_600_000_000_000));
    worker.kill();
    let stale = std::fs::read_to_string(dir.path().join("stacks/webkit/lock")).unwrap();
    assert!(stale.contains("child"), "its text is there still");
    let guard = home.lock(holder, Millis(0), &clock).await.unwrap();
    assert_eq!(home.holder().unwrap().unwrap().holder.actor, "ann");
    drop(guard);
}

/// The kernel drops all locks of a process on a file with the first of its descriptors that is closed.
#[test]
fn a_second_opening_in_a_process_leaves_the_locks_of_the_first() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path());
    let database = crate::home::paths::StackFolder::new(dir.path(), &stack()).unwrap().database();
    let file = std::fs::metadata(database).unwrap().ino().to_string();
    let process = std::process::id().to_string();
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        // 1: POSIX  ADVISORY  READ 4711 fe:00:326279 1073741826 1073742335
        let ours = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.contains(&process.as_str()) && words.iter().any(|word| word.rsplit(':').next() == Some(&file))
        };
        all.lines().filter(ours).count()
    };
    assert!(locks() > 0);
    let second = open(dir.path());
    assert!(locks() > 0);
    drop(second);
    assert!(locks() > 0);
}
