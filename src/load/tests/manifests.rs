//! Manifests: where services come from, policy, names.

use super::*;

#[test]
fn a_manifest_with_inline_services_and_one_with_compose_files_are_the_same() {
    let inline = manifest("services: {web: {image: 'nginx:1', ports: ['80:80'], limits: {memory: 64Mi}}}");
    let (files, _) = manifest_with(
        "compose: {files: [compose.yaml]}\nservices: {web: {limits: {memory: 64Mi}}}",
        &[("compose.yaml", "services: {web: {image: 'nginx:1', ports: ['80:80']}}")],
    )
    .unwrap();
    let bare = |desired: &Desired| {
        let mut service = desired.services[&ServiceName::new("web")].clone();
        service.container.labels.clear();
        service
    };
    assert_eq!(bare(&inline), bare(&files));
    assert_eq!(inline.stack.as_str(), "webkit");
    insta::assert_snapshot!(serde_json::to_string_pretty(&inline).unwrap(), @r#"
    {
      "stack": "webkit",
      "services": {
        "web": {
          "name": "web",
          "container": {
            "image": "nginx:1",
            "labels": {
              "com.docker.compose.config-hash": "ab8a612bd8bca6d4af7c735956786f3696bcaace17ad59d1d1a118f43ec63f36",
              "com.docker.compose.depends_on": "",
              "com.docker.compose.oneoff": "False",
              "com.docker.compose.project": "webkit",
              "com.docker.compose.project.config_files": "/srv/webkit/evenkeel.yaml",
              "com.docker.compose.project.working_dir": "/srv/webkit",
              "com.docker.compose.service": "web",
              "com.docker.compose.version": "2.40.3",
              "dev.evenkeel.stack": "webkit"
            },
            "limits": {
              "memory": "64Mi"
            },
            "ports": {
              "80/tcp": [
                {
                  "port": "80"
                }
              ]
            },
            "networkMode": "networks",
            "networks": {
              "webkit_default": {
                "aliases": [
                  "web"
                ]
              }
            }
          },
          "replicas": 1,
          "pullPolicy": "missing",
          "probes": {},
          "rollout": {
            "minReady": "5s",
            "deadline": "5m",
            "drain": "0s",
            "sharedVolumes": false
          },
          "oneShot": false,
          "configHash": "ab8a612bd8bca6d4af7c735956786f3696bcaace17ad59d1d1a118f43ec63f36"
        }
      },
      "networks": {
        "webkit_default": {
          "key": "default",
          "external": false,
          "declaredAt": "/srv/webkit/evenkeel.yaml:5:19",
          "configHash": "2bede6e3a9dd378b04fd207db7fa57f6dd50f32ee67acc0083b2e13f277a9748",
          "definition": {
            "internal": false,
            "attachable": false
          },
          "labels": {
            "com.docker.compose.config-hash": "2bede6e3a9dd378b04fd207db7fa57f6dd50f32ee67acc0083b2e13f277a9748",
            "com.docker.compose.network": "default",
            "com.docker.compose.project": "webkit",
            "com.docker.compose.version": "2.40.3",
            "dev.evenkeel.stack": "webkit"
          }
        }
      },
      "volumes": {},
      "policy": {
        "protect": false,
        "adopt": false,
        "prune": false,
        "order": [],
        "maxParallel": 1,
        "onFailure": "rollback"
      },
      "source": {
        "manifest": "/srv/webkit/evenkeel.yaml",
        "manifestHash": "a81aa3838fd8e93f501735760f4a493de47860f8c4620b162f39df54aef2eb60",
        "configFiles": [
          "/srv/webkit/evenkeel.yaml"
        ],
        "workingDir": "/srv/webkit",
        "environmentFiles": []
      },
      "overrides": {}
    }
    "#);
    assert_eq!(files.source.config_files, ["/srv/webkit/compose.yaml"]);
}
