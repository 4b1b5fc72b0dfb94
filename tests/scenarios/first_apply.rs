//! A stack that is not there yet.

use crate::support::Host;

const SHOP: &str = "
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  services:
    web:
      image: web:1
      restart: unless-stopped
      environment: {LOG_LEVEL: info}
      depends_on: [db]
    db:
      image: db:1
      restart: unless-stopped
      volumes: ['data:/data']
  volumes: {data: {}}
";

#[tokio::test(start_paused = true)]
async fn comes_up_in_the_order_of_its_dependencies() {
    let host = Host::new();
    insta::assert_snapshot!(host.diff(SHOP).await, @"");
    host.settle(SHOP).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}
