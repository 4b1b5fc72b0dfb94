//! The Markdown compared whole, and what must not break out of it.

use super::*;
use crate::cli::render::plan::tests::{empty, example};
use crate::model::{fields::FieldChange, value::Value};

#[test]
fn the_designs_example() {
    let expected = "\
### webkit: revision 14 → 15, 3 changes, 1 held

| | resource | action | reason |
|---|---|---|---|
| `~` | `service/core` | replace, start-first: no downtime | image changed |
| `~` | `service/gotenberg` | update in place | limit changed |
| `+` | `network/webkit_edge` | create | new |

**Held**

- `volume/webkit_postgres_data` volume-changed: driver\\_opts differ<br>hint: evenkeel explain volume-changed

<details><summary>service/core: 4 fields</summary>

```diff
- environment.DATABASE_URL: *** (before)
+ environment.DATABASE_URL: *** (after)
- environment.LOG_LEVEL: info
+ environment.LOG_LEVEL: debug
+ environment.TOKEN: ***
- image: ghcr.io/us/core:3f2c1
+ image: ghcr.io/us/core:9be02 (sha256:77ab00000000…)
```

</details>
";
    let text = plan_markdown(&example());
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("<details><summary>8 steps</summary>\n\n```text\nsteps\n"), "{text}");
    assert!(text.contains("\nCapacity: 9.2 of 14 GiB, 9.7 at the peak of this rollout\n"), "{text}");
}

#[test]
fn a_plan_without_anything_is_a_headline() {
    assert_eq!(plan_markdown(&empty()), "### webkit: revision 14, no changes\n");
}

#[test]
fn no_value_breaks_out_of_its_place() {
    let mut plan = example();
    plan.changes[0].fields =
        vec![FieldChange { path: "environment.A".into(), from: None, to: Some(Value::plain("```\n<b>|@all")) }];
    plan.held[0].reason = "a | b <script> @all".into();
    let text = plan_markdown(&plan);
    assert!(text.contains("````diff\n+ environment.A: ```\\n<b>|@all\n````\n"), "{text}");
    assert!(text.contains("a \\| b &lt;script&gt; &#64;all"), "{text}");
}
