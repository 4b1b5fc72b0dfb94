//! The simulated engine is held to the real one: the same operations on both, and after each the same to be seen. Written
//! courses for the surprises of Docker 20.10, then a random one from a printed seed.
//!
//! `EVENKEEL_CONFORMANCE_SEED` and `EVENKEEL_CONFORMANCE_STEPS` make the random one another or a longer one.

mod courses;
mod operations;
mod random;
mod sights;
mod subjects;

use crate::support::Place;
use evenkeel::{
    engine::{Images, System, simulated::Behaviour},
    model::units::Millis,
};
use operations::Operation;
use std::sync::Arc;
use subjects::{Images as KnownImages, PrivateEngine, Subject};

/// The images that courses use, and how their processes behave when nothing else is said.
async fn images(engine: &evenkeel::engine::docker::DockerEngine) -> KnownImages {
    let mut images = KnownImages::new();
    for reference in [crate::support::IMAGE, "evenkeel-test/web:volume", "evenkeel-test/web:2"] {
        let image = engine.inspect_image(reference).await.unwrap();
        let config = image.unwrap_or_else(|| panic!("{reference} is missing: run tests/images/ensure")).config;
        let behaviour = Behaviour { stop_code: 0, ..Behaviour::ready_after(Millis(0)) };
        images.push((reference, config, behaviour));
    }
    images
}

/// Runs a course on both engines and compares what is seen after each step.
async fn compare(place: &Place, course: Vec<Operation>, restarts: Option<Arc<PrivateEngine>>) {
    let facts = place.engine.facts().await.unwrap();
    let images = images(&place.engine).await;
    let prefix = place.name("");
    let simulated = {
        let (prefix, course) = (prefix.clone(), course.clone());
        // A thread of its own, so that its time can be another one.
        let run = move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async move { Subject::simulated(&prefix, facts, images).run(&course).await })
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    let real = Subject::real(&prefix, place.engine.clone(), restarts).run(&course).await;
    for (number, ((operation, real), simulated)) in course.iter().zip(&real).zip(&simulated).enumerate() {
        if real != simulated {
            let changes = similar::TextDiff::from_lines(real.as_str(), simulated.as_str());
            let changes = changes.unified_diff().context_radius(8).header("real", "simulated").to_string();
            let step = match operation {
                Operation::Create(name, _) => format!("Create {name}"),
                operation => format!("{operation:?}"),
            };
            panic!("after step {number}, {step}, the engines differ:\n{changes}");
        }
    }
}

async fn on_the_engine(course: impl FnOnce(&str) -> Vec<Operation> + Send + 'static) {
    Place::with(|place: Arc<Place>| async move {
        let steps = course(&place.name(""));
        compare(&place, steps, None).await;
    })
    .await;
}

macro_rules! courses {
    ($($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                on_the_engine(|_| courses::$name()).await;
            }
        )*
    };
}

courses! {
    a_second_connect
    networks_in_use
    fixed_addresses
    hostnames
    busy_ports
    updates
    limits_at_creation
    volumes
    anonymous_volumes
    names_and_removal
    kills_and_deaths
    pauses
    a_shared_network
    content_of_a_bound_file
    files_that_are_written
    health
    one_shots
    image_tags
}

#[tokio::test]
async fn restarts_of_the_engine() {
    let private = Arc::new(PrivateEngine::start("conformance"));
    let restarts = private.clone();
    Place::on(private.socket(), |place: Arc<Place>| async move {
        compare(&place, courses::restarts_of_the_engine(), Some(restarts)).await;
    })
    .await;
}

#[tokio::test]
async fn a_random_course() {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"));
    let seed = number("EVENKEEL_CONFORMANCE_SEED", 20_260_101);
    let steps = number("EVENKEEL_CONFORMANCE_STEPS", 250);
    println!("EVENKEEL_CONFORMANCE_SEED={seed} EVENKEEL_CONFORMANCE_STEPS={steps}");
    on_the_engine(move |_| random::course(seed, steps)).await;
}
