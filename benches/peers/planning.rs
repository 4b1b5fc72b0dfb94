//! Planning on the simulated engine: from a hundred services to ten thousand.

use evenkeel::{
    load::{Memory, Sources, load},
    model::{
        image::{ImageConfig, Images, ResolvedImage},
        names::{ImageReference, PlanId},
        observed::Observed,
        plan::{Facts, PlanContext, Purpose},
        units::Timestamp,
        value::Salt,
    },
    plan::plan,
};
use std::time::Instant;

/// Prints the time a service takes at each size; it must stay about the same.
pub fn grows_linearly() {
    let mut first = None;
    for count in [100_usize, 1_000, 10_000] {
        let mut times: Vec<f64> = (0..3).map(|_| seconds_to_plan(count)).collect();
        times.sort_by(f64::total_cmp);
        let each = times[1] / count as f64 * 1e6;
        let first = *first.get_or_insert(each);
        println!(
            "  {count:>6} services: {:.3} s, {each:.1} µs a service, {:.2} of that at 100",
            times[1],
            each / first
        );
    }
}

fn seconds_to_plan(count: usize) -> f64 {
    let one = |number: usize| {
        let after =
            if number.is_multiple_of(10) { String::new() } else { format!("\n    depends_on: [s{}]", number - 1) };
        format!("  s{number}:\n    image: web:1\n    restart: always\n    environment: {{A: '1'}}{after}\n")
    };
    let file = format!("name: many\nservices:\n{}", (0..count).map(one).collect::<String>());
    let files = Memory::of([("/srv/many/compose.yaml", file.as_str())]);
    let sources = Sources::new("/srv/many", ["/srv/many/compose.yaml"], &files);
    let (desired, _) = load(&sources).unwrap_or_else(|error| panic!("{error}"));
    let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
    let image = ResolvedImage { id: "sha256:11".into(), config, ..ResolvedImage::default() };
    let images = Images::from([(ImageReference::from("web:1"), image)]);
    let context = PlanContext {
        plan: PlanId::from("p-000000000000"),
        now: Timestamp(1),
        salt: Salt::new("00"),
        images,
        selected: None,
        purpose: Purpose::Apply,
        yes: false,
        root: true,
        attended: false,
        unwell: Default::default(),
        facts: Facts::default(),
    };
    let begin = Instant::now();
    let plan = plan(&desired, &Observed::default(), &context);
    assert_eq!(plan.rollouts.len(), count);
    begin.elapsed().as_secs_f64()
}
