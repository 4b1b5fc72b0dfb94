//! Requests as they go over the socket: the version in the path and what older engines want is put into bollard's. Knows
//! JSON and HTTP, not what they mean.

use bollard::BollardRequest;
use bytes::Bytes;
use futures::FutureExt;
use http_body_util::{BodyExt, Either, Full};
use hyper::{Method, Request, Uri, header::HeaderValue};

/// Puts right what bollard sends: it names no version in the path, encodes a registry login with an alphabet that the
/// engine does not read (and then takes for no login at all), and has forgotten two fields of older APIs.
pub(super) fn amend(request: BollardRequest, api: (u32, u32)) -> BollardRequest {
    let (mut head, mut body) = request.into_parts();
    let login = head.headers.get("X-Registry-Auth").and_then(|login| login.to_str().ok());
    if let Some(Ok(login)) = login.map(|login| HeaderValue::from_str(&login.replace('+', "-").replace('/', "_"))) {
        head.headers.insert("X-Registry-Auth", login);
    }
    if api < (1, 44) && head.method == Method::POST {
        let change: Option<fn(&mut serde_json::Value)> = match head.uri.path() {
            "/networks/create" => Some(refuse_twins),
            "/containers/create" => Some(name_the_mac_address),
            _ => None,
        };
        if let Some(change) = change {
            body = rewritten(body, change);
        }
    }
    head.uri = versioned(&head.uri, api).unwrap_or(head.uri);
    Request::from_parts(head, body)
}

type Body = <BollardRequest as RequestBody>::Body;

trait RequestBody {
    type Body;
}

impl<B> RequestBody for Request<B> {
    type Body = B;
}

fn rewritten(body: Body, change: fn(&mut serde_json::Value)) -> Body {
    match body {
        Either::Left(whole) => {
            // A body that is there as a whole collects at once.
            let bytes = match whole.collect().now_or_never() {
                Some(Ok(collected)) => collected.to_bytes(),
                _ => Bytes::new(),
            };
            let bytes = match serde_json::from_slice(&bytes) {
                Ok(mut json) => {
                    change(&mut json);
                    Bytes::from(json.to_string())
                }
                Err(_) => bytes,
            };
            Either::Left(Full::new(bytes))
        }
        stream => stream,
    }
}

/// Without it, an engine before API 1.44 makes a second network of the same name.
fn refuse_twins(body: &mut serde_json::Value) {
    body["CheckDuplicate"] = true.into();
}

/// Before API 1.44 the MAC address is a field of the container, not of its endpoint.
fn name_the_mac_address(body: &mut serde_json::Value) {
    let endpoints = body.pointer("/NetworkingConfig/EndpointsConfig").and_then(serde_json::Value::as_object);
    let mac = endpoints.into_iter().flat_map(|all| all.values()).find_map(|endpoint| endpoint["MacAddress"].as_str());
    if let Some(mac) = mac.map(str::to_owned) {
        body["MacAddress"] = mac.into();
    }
}

fn versioned(uri: &Uri, api: (u32, u32)) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let path = parts.path_and_query.as_ref().map_or("/", |path| path.as_str());
    parts.path_and_query = Some(format!("/v{}.{}{path}", api.0, api.1).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, body: &str) -> BollardRequest {
        let body = Either::Left(Full::new(Bytes::from(body.to_owned())));
        Request::post(format!("unix://2f746d70{path}")).header("X-Registry-Auth", "a+b/c=").body(body).unwrap()
    }

    fn sent(request: BollardRequest) -> (String, String) {
        let uri = request.uri().to_string();
        let body = request.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        (uri, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn the_agreed_version_is_named() {
        let (uri, _) = sent(amend(request("/containers/x/stop?t=3", ""), (1, 41)));
        assert_eq!(uri, "unix://2f746d70/v1.41/containers/x/stop?t=3");
    }

    #[test]
    fn a_login_is_written_as_the_engine_reads_it() {
        let amended = amend(request("/images/create", ""), (1, 41));
        assert_eq!(amended.headers()["X-Registry-Auth"], "a-b_c=");
    }

    #[test]
    fn older_engines_are_told_to_refuse_a_second_network_of_one_name() {
        let (_, body) = sent(amend(request("/networks/create", r#"{"Name":"n"}"#), (1, 41)));
        assert_eq!(body, r#"{"Name":"n","CheckDuplicate":true}"#);
        let (_, body) = sent(amend(request("/networks/create", r#"{"Name":"n"}"#), (1, 44)));
        assert_eq!(body, r#"{"Name":"n"}"#);
    }

    #[test]
    fn older_engines_get_the_mac_address_where_they_look_for_it() {
        let spec = r#"{"NetworkingConfig":{"EndpointsConfig":{"n":{"MacAddress":"02:42:ac:11:00:09"}}}}"#;
        let (_, body) = sent(amend(request("/containers/create?name=x", spec), (1, 41)));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["MacAddress"], "02:42:ac:11:00:09");
    }
}
