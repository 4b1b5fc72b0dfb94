//! A value that came from a variable, an env file or a content is known as such wherever it lands.

use super::*;

const TEXT: &str = "
services:
  base:
    image: x
    environment: {A: '${V}', B: literal}
  web:
    extends: base
    env_file: web.env
    environment: ['C=${V}', D, E=literal]
    command: run --key ${V}
    entrypoint: [a, '${V}']
    labels: {a: '${V}', b: literal}
    annotations: ['a=${V}']
    healthcheck: {test: 'curl ${V}'}
    logging: {driver: x, options: {token: '${V}', size: 1m}}
    build: {context: ., args: {T: '${V}', U: 1}}
    post_start: [{command: ['${V}'], environment: {X: '${V}'}}]
    secrets: [s]
    configs: [c]
secrets: {s: {environment: V}}
configs: {c: {content: text}}
";

#[test]
fn origins_survive_merging_and_short_forms() {
    let files = Memory::of([("/srv/app/compose.yaml", TEXT), ("/srv/app/web.env", "F=1\nA=2\n")]);
    let variables = Variables::new().with([("V", "v"), ("D", "d")].map(|(k, v)| (k.to_owned(), v.to_owned())));
    let loaded = load(&Sources::new("/srv/app", ["/srv/app/compose.yaml"], variables, &files)).unwrap();
    let web = &loaded.project.services["web"];
    let environment = |name: &str| web.environment.0[name].as_ref().map(|text| (text.as_str(), text.origin)).unwrap();
    assert_eq!(environment("A"), ("v", Origin::Interpolated));
    assert_eq!(environment("B"), ("literal", Origin::Literal));
    assert_eq!(environment("C"), ("v", Origin::Interpolated));
    assert_eq!(environment("D"), ("d", Origin::Interpolated));
    assert_eq!(environment("E"), ("literal", Origin::Literal));
    assert_eq!(environment("F"), ("1", Origin::EnvFile));
    let sensitive = |texts: &[Text]| texts.iter().map(Text::is_sensitive).collect::<Vec<_>>();
    assert_eq!(sensitive(web.entrypoint.0.as_ref().unwrap()), [false, true]);
    assert_eq!(sensitive(web.command.0.as_ref().unwrap()), [true, true, true]);
    assert_eq!(sensitive(&web.healthcheck.as_ref().unwrap().test.0), [false, true]);
    let pair = |pairs: &project::Pairs, name: &str| pairs.0[name].is_sensitive();
    assert!(pair(&web.labels, "a") && !pair(&web.labels, "b") && pair(&web.annotations, "a"));
    let options = &web.logging.as_ref().unwrap().options;
    assert!(pair(options, "token") && !pair(options, "size"));
    let arguments = &web.build.as_ref().unwrap().args.0;
    assert!(arguments["T"].as_ref().unwrap().is_sensitive() && !arguments["U"].as_ref().unwrap().is_sensitive());
    let hook = &web.post_start[0];
    assert!(
        hook.command.0.as_ref().unwrap()[0].is_sensitive() && hook.environment.0["X"].as_ref().unwrap().is_sensitive()
    );
    let content = |object: &project::FileObject| object.content.as_ref().map(|text| (text.value.clone(), text.origin));
    assert_eq!(content(&loaded.project.secrets["s"]), Some(("v".to_owned(), Origin::Content)));
    assert_eq!(content(&loaded.project.configs["c"]), Some(("text".to_owned(), Origin::Content)));
}

#[test]
fn an_included_project_s_variables_stay_inside() {
    let files = Memory::of([
        ("/srv/app/compose.yaml", "include: [inc/c.yaml]\nservices: {a: {image: 'x:${V:-none}'}}"),
        ("/srv/app/inc/c.yaml", "services: {b: {image: 'y:${V}'}}"),
        ("/srv/app/inc/.env", "V=inner\n"),
    ]);
    let loaded = load(&Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), &files)).unwrap();
    assert_eq!(loaded.project.services["a"].image, "x:none");
    assert_eq!(loaded.project.services["b"].image, "y:inner");
}
