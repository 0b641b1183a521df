//! Listings, topology and sinks against the project's emulated AWS: an organization of two accounts.

use crate::{connect, emulator::Emulator};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_ec2::types as ec2;
use aws_smithy_http_client::tls;
use aws_smithy_types::Blob;
use muster_aws::{APPLICATION_INVENTORY, AwsError, EventEntry, PACKAGES_INVENTORY, RegionClient};
use muster_domain::{Digest, FunctionDetails, ImageDetails, InstanceDetails, Region, ResourceDetails};
use muster_network::topology::RouteTable;
use secrecy::ExposeSecret;
use serde_json::json;
use std::collections::HashMap;

const MANAGEMENT: &str = "123456789012";
const MEMBER: &str = "210987654321";

/// The role that a function needs to exist, and Security Hub switched on.
const PREPARATION: &str = r#"
trust = '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}'
client = lambda service: accounts.client(service, "123456789012", "us-east-1")
client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument=trust)
client("securityhub").enable_security_hub()
"#;

/// The SDK with the management account's keys, to put things there.
async fn owner(url: &str) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let keys = aws_credential_types::Credentials::new(
        "AKIAMUSTERDEMO000001",
        "muster-demo-secret-access-key",
        None,
        None,
        "test",
    );
    let region = aws_types::region::Region::new("us-east-1");
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http).credentials_provider(keys);
    loader.region(region).endpoint_url(url).load().await
}

#[tokio::test]
async fn an_organization_is_read_as_it_is() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let owner = owner(&emulator.url()).await;
    let organizations = aws_sdk_organizations::Client::new(&owner);
    organizations.create_organization().send().await.unwrap();
    organizations.create_account().account_name("member").email("member@example.com").send().await.unwrap();

    emulator.run(PREPARATION);

    let aws = connect(&emulator.url(), |options| options.attempts = 6).await.unwrap();
    let accounts = aws.accounts().await.unwrap();
    assert_eq!(accounts.iter().map(|account| account.as_str()).collect::<Vec<_>>(), [MANAGEMENT, MEMBER]);
    let own = aws.in_region(&accounts[0], &Region::new("us-east-1")).await.unwrap();
    let member = aws.in_region(&accounts[1], &Region::new("us-east-1")).await.unwrap();

    let instances = run_instances(&aws_sdk_ec2::Client::new(&owner)).await;
    instances_carry_what_ec2_and_ssm_say(&emulator, &owner, &own, &instances).await;
    the_topology_holds_what_the_instances_stand_on(&own, &instances[0]).await;
    images_are_the_platforms_of_the_indexes(&owner, &own).await;
    functions_and_layers_lead_to_their_code(&owner, &own).await;
    sinks_take_what_they_are_given(&own).await;
    assert_eq!(member.instances().await.unwrap().resources, [], "the member account has a state of its own");
    faults_cost_what_they_touch(&emulator, &own, instances.len()).await;

    emulator.post("faults", &json!({"deny": [{"service": "sts", "action": "AssumeRole", "account": MEMBER}]}));
    let stranger = connect(&emulator.url(), |options| options.attempts = 1).await.unwrap();
    let denied = stranger.in_region(&accounts[1], &Region::new("us-east-1")).await.unwrap_err();
    assert!(
        matches!(&denied, AwsError::Denied { account: Some(account), .. } if account.as_str() == MEMBER),
        "{denied}"
    );
    emulator.post("faults", &json!({}));
    stranger.in_region(&accounts[1], &Region::new("us-east-1")).await.unwrap();
}

/// Three instances in a VPC with a way to the internet, one of them terminated again.
async fn run_instances(client: &aws_sdk_ec2::Client) -> Vec<String> {
    let vpc = client.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let subnet = client.create_subnet().vpc_id(&vpc).cidr_block("10.9.1.0/24").send().await.unwrap();
    let subnet = subnet.subnet.unwrap().subnet_id.unwrap();
    let gateway = client.create_internet_gateway().send().await.unwrap();
    let gateway = gateway.internet_gateway.unwrap().internet_gateway_id.unwrap();
    client.attach_internet_gateway().internet_gateway_id(&gateway).vpc_id(&vpc).send().await.unwrap();
    let table = client.create_route_table().vpc_id(&vpc).send().await.unwrap();
    let table = table.route_table.unwrap().route_table_id.unwrap();
    client.associate_route_table().route_table_id(&table).subnet_id(&subnet).send().await.unwrap();
    let route = client.create_route().route_table_id(&table).destination_cidr_block("0.0.0.0/0");
    route.gateway_id(&gateway).send().await.unwrap();
    let list = client.create_managed_prefix_list().prefix_list_name("office").address_family("IPv4").max_entries(2);
    let list = list.entries(ec2::AddPrefixListEntry::builder().cidr("203.0.113.0/24").build()).send().await.unwrap();
    let list = list.prefix_list.unwrap().prefix_list_id.unwrap();
    let group = client.create_security_group().group_name("ssh").description("ssh").vpc_id(&vpc).send().await.unwrap();
    let group = group.group_id.unwrap();
    let permission = ec2::IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
    let permission = permission.prefix_list_ids(ec2::PrefixListId::builder().prefix_list_id(&list).build()).build();
    client.authorize_security_group_ingress().group_id(&group).ip_permissions(permission).send().await.unwrap();

    let mut ids = Vec::new();
    for name in ["one", "two", "gone"] {
        let tag = ec2::Tag::builder().key("Name").value(name).build();
        let tags = ec2::TagSpecification::builder().resource_type(ec2::ResourceType::Instance).tags(tag).build();
        let request = client.run_instances().image_id("ami-12c6146b").min_count(1).max_count(1).key_name("key");
        let request = request.instance_type(ec2::InstanceType::T3Small).subnet_id(&subnet).security_group_ids(&group);
        let reservation = request.tag_specifications(tags).send().await.unwrap();
        ids.extend(reservation.instances().iter().filter_map(|instance| instance.instance_id().map(str::to_owned)));
    }
    let gone = ids.pop().unwrap();
    client.terminate_instances().instance_ids(gone).send().await.unwrap();
    ids
}

async fn instances_carry_what_ec2_and_ssm_say(
    emulator: &Emulator,
    owner: &SdkConfig,
    own: &RegionClient,
    instances: &[String],
) {
    let ssm = aws_sdk_ssm::Client::new(owner);
    for instance in instances {
        let information = json!({"PlatformType": "Linux", "PlatformName": "Debian GNU/Linux", "PlatformVersion": "12"});
        emulator.post(
            "ssm/instances",
            &json!({"account": MANAGEMENT, "region": "us-east-1", "instance": instance, "information": information}),
        );
    }
    let packages: Vec<HashMap<String, String>> =
        (0..120).map(|number| HashMap::from([("Name".to_owned(), format!("package-{number}"))])).collect();
    let item = aws_sdk_ssm::types::InventoryItem::builder()
        .type_name(PACKAGES_INVENTORY)
        .schema_version("1.0")
        .capture_time("2026-11-24T08:00:00Z")
        .content_hash("hash-1")
        .set_content(Some(packages))
        .build()
        .unwrap();
    ssm.put_inventory().instance_id(&instances[0]).items(item).send().await.unwrap();

    emulator.post("faults", &json!({"page_max": 1}));
    let listing = own.instances().await.unwrap();
    emulator.post("faults", &json!({}));
    assert_eq!(listing.missing, Vec::<String>::new());
    assert!(listing.complete);
    let mut listed: Vec<&str> = listing.resources.iter().map(|instance| instance.id.as_str()).collect();
    let mut expected: Vec<&str> = instances.iter().map(String::as_str).collect();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected, "the terminated instance is left out");
    let first = listing.resources.iter().find(|instance| instance.id.as_str() == instances[0]).unwrap();
    assert_eq!(first.tags["Name"], "one");
    let details = instance_details(&first.details);
    assert_eq!(details.platform.as_deref(), Some("Debian GNU/Linux 12"));
    assert_eq!(details.ssm_ping_status.as_deref(), Some("Online"));
    assert_eq!(details.state, "running");
    assert_eq!(details.instance_type, "t3.small");
    assert_eq!(details.key_name.as_deref(), Some("key"));
    assert!(details.vpc_id.is_some() && details.subnet_id.is_some() && details.launched_at.is_some());
    assert!(details.ipv4_addresses.iter().any(|address| address.starts_with("10.9.1.")), "{details:?}");
    assert_eq!(details.network_interfaces.len(), 1);
    let stamp = &details.inventory[PACKAGES_INVENTORY];
    assert_eq!((stamp.captured_at.as_str(), stamp.content_hash.as_deref()), ("2026-11-24T08:00:00Z", Some("hash-1")));
    assert!(!details.inventory.contains_key(APPLICATION_INVENTORY));

    let entries = own.inventory_entries(&instances[0], PACKAGES_INVENTORY).await.unwrap();
    assert_eq!(entries.len(), 120, "three pages");
    assert_eq!(entries[119]["Name"], "package-119");
    assert_eq!(own.inventory_entries(&instances[0], APPLICATION_INVENTORY).await, Ok(Vec::new()));
    let unmanaged = own.inventory_entries("i-00000000000000000", PACKAGES_INVENTORY).await.unwrap_err();
    assert!(matches!(unmanaged, AwsError::NotFound { .. }), "{unmanaged}");
}

fn instance_details(details: &ResourceDetails) -> &InstanceDetails {
    let ResourceDetails::Instance(details) = details else { panic!("{details:?}") };
    details
}

async fn the_topology_holds_what_the_instances_stand_on(own: &RegionClient, instance: &str) {
    let topology = own.topology().await;
    assert_eq!(topology.missing, []);
    assert_eq!((topology.account.as_str(), topology.region.as_str()), (MANAGEMENT, "us-east-1"));
    let interface = topology.network_interfaces.iter().find(|interface| interface.instance_id() == Some(instance));
    let interface = interface.expect("the instance's interface");
    assert!(topology.instances.iter().any(|known| known.instance_id == instance && !known.is_terminated()));
    let subnet = topology.subnets.iter().find(|subnet| subnet.subnet_id == interface.subnet_id).unwrap();
    assert_eq!(subnet.cidr_block.as_deref(), Some("10.9.1.0/24"));
    let vpc = topology.vpcs.iter().find(|vpc| vpc.vpc_id == subnet.vpc_id).unwrap();
    assert_eq!(vpc.blocks(), ["10.9.0.0/16"]);
    let used = |table: &&RouteTable| {
        table.associations.iter().any(|association| association.subnet_id.as_ref() == Some(&subnet.subnet_id))
    };
    let table = topology.route_tables.iter().find(used).expect("the subnet's table");
    let default = table.routes.iter().find(|route| route.destination_cidr_block.as_deref() == Some("0.0.0.0/0"));
    let gateway = default.and_then(|route| route.gateway_id.clone()).expect("the way out");
    let gateway = topology.internet_gateways.iter().find(|known| known.internet_gateway_id == gateway).unwrap();
    assert_eq!(gateway.attachments[0].vpc_id, vpc.vpc_id);
    assert!(topology.network_acls.iter().any(|acl| acl.vpc_id == vpc.vpc_id && !acl.entries.is_empty()));
    let group = topology.security_groups.iter().find(|group| group.group_name.as_deref() == Some("ssh")).unwrap();
    let list = &group.ip_permissions[0].prefix_list_ids[0].prefix_list_id;
    let known = topology.prefix_lists.iter().find(|known| known.prefix_list_id == *list).expect("the list referred to");
    assert_eq!((topology.prefix_lists.len(), known.address_family.as_deref()), (1, Some("IPv4")));
    let entries = topology.prefix_list_entries.iter().find(|known| known.prefix_list_id == *list).unwrap();
    assert_eq!(entries.entries.iter().map(|entry| entry.cidr.as_str()).collect::<Vec<_>>(), ["203.0.113.0/24"]);
}

async fn images_are_the_platforms_of_the_indexes(owner: &SdkConfig, own: &RegionClient) {
    const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let ecr = aws_sdk_ecr::Client::new(owner);
    ecr.create_repository().repository_name("team/app").send().await.unwrap();
    let put = async |manifest: String, media_type: &str, tag: Option<&str>| {
        let digest = Digest::of(manifest.as_bytes()).as_str().to_owned();
        let request = ecr.put_image().repository_name("team/app").image_manifest(manifest).image_digest(&digest);
        let request = request.image_manifest_media_type(media_type).set_image_tag(tag.map(str::to_owned));
        request.send().await.unwrap();
        digest
    };
    let manifest = |name: &str| {
        let config = json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of(name.as_bytes()), "size": 2});
        json!({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": []}).to_string()
    };
    let amd = put(manifest("amd64"), IMAGE, None).await;
    let arm = put(manifest("arm64"), IMAGE, None).await;
    let proof = put(manifest("proof"), IMAGE, None).await;
    let plain = put(manifest("plain"), IMAGE, Some("old")).await;
    let child = |digest: &str, os: &str, architecture: &str| json!({"mediaType": IMAGE, "digest": digest, "size": 1, "platform": {"os": os, "architecture": architecture}});
    let children = [child(&amd, "linux", "amd64"), child(&arm, "linux", "arm64"), child(&proof, "unknown", "unknown")];
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).to_string();
    put(index.clone(), INDEX, Some("v2")).await;
    put(index, INDEX, Some("latest")).await;

    let listing = own.images().await.unwrap();
    assert_eq!((listing.missing, listing.complete), (Vec::new(), true));
    let mut images: Vec<&ImageDetails> = Vec::new();
    for image in &listing.resources {
        let ResourceDetails::Image(details) = &image.details else { panic!("{image:?}") };
        assert_eq!(
            image.id.as_str(),
            format!("arn:aws:ecr:us-east-1:{MANAGEMENT}:repository/team/app/{}", details.digest)
        );
        assert_eq!(details.registry_endpoint, "http://127.0.0.1:5000");
        images.push(details);
    }
    let mut found: Vec<_> = images
        .iter()
        .map(|image| (image.digest.as_str(), image.tags.join(","), image.platform.as_deref().unwrap_or("-")))
        .collect();
    found.sort_unstable();
    let mut expected = vec![
        (amd.as_str(), "latest,v2".to_owned(), "linux/amd64"),
        (arm.as_str(), "latest,v2".to_owned(), "linux/arm64"),
        (plain.as_str(), "old".to_owned(), "-"),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);

    let credentials = own.registry_credentials().await.unwrap();
    assert_eq!((credentials.endpoint.as_str(), credentials.user.as_str()), ("http://127.0.0.1:5000", "AWS"));
    assert_eq!(credentials.password.expose_secret(), "registry-password");
}

async fn functions_and_layers_lead_to_their_code(owner: &SdkConfig, own: &RegionClient) {
    use aws_sdk_lambda::types::{FunctionCode, LayerVersionContentInput, Runtime};
    let lambda = aws_sdk_lambda::Client::new(owner);
    let iam_role = format!("arn:aws:iam::{MANAGEMENT}:role/lambda");
    let zip = Blob::new(EMPTY_ZIP);
    let content = LayerVersionContentInput::builder().zip_file(zip.clone()).build();
    let layer = lambda.publish_layer_version().layer_name("numbers").content(content).send().await.unwrap();
    let layer = layer.layer_version_arn.unwrap();
    let create = lambda.create_function().function_name("pay").role(&iam_role).runtime(Runtime::Python312);
    let create = create.handler("pay.handler").code(FunctionCode::builder().zip_file(zip).build()).layers(&layer);
    create.send().await.unwrap();

    let listing = own.functions().await.unwrap();
    assert_eq!((listing.missing, listing.complete), (Vec::new(), true));
    let [function] = &listing.resources[..] else { panic!("{:?}", listing.resources) };
    assert_eq!(function.id.as_str(), format!("arn:aws:lambda:us-east-1:{MANAGEMENT}:function:pay:$LATEST"));
    let ResourceDetails::Function(details) = &function.details else { panic!("{function:?}") };
    let FunctionDetails { name, runtime, layers, package_type, version, architecture, last_modified_at, .. } = details;
    assert_eq!([name, runtime, package_type, version, architecture], ["pay", "python3.12", "Zip", "$LATEST", "x86_64"]);
    assert_eq!(layers, std::slice::from_ref(&layer));
    assert!(last_modified_at.is_some());

    let code = own.function_code("pay").await.unwrap();
    assert!(code.url.is_some_and(|url| url.contains("/muster/functions/")));
    assert_eq!((code.image_uri, code.code_sha256.as_str()), (None, details.code_sha256.as_str()));
    let code = own.layer(&layer).await.unwrap();
    assert!(code.url.contains("/muster/layer-versions/"));
    assert_eq!(code.code_size, EMPTY_ZIP.len() as u64);
    let nobody = own.function_code("nobody").await.unwrap_err();
    assert!(matches!(&nobody, AwsError::NotFound { call, .. } if call == "lambda:GetFunction"), "{nobody}");
}

/// The end record alone (APPNOTE 4.3.16): an archive without entries.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

async fn sinks_take_what_they_are_given(own: &RegionClient) {
    let finding = json!({
        "SchemaVersion": "2018-10-08", "Id": "finding-1", "AwsAccountId": MANAGEMENT, "GeneratorId": "muster",
        "ProductArn": format!("arn:aws:securityhub:us-east-1:{MANAGEMENT}:product/{MANAGEMENT}/default"),
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
        "CreatedAt": "2026-11-24T08:00:00Z", "UpdatedAt": "2026-11-24T08:00:00Z", "Severity": {"Label": "HIGH"},
        "Title": "CVE-2024-1 - curl", "Description": "curl", "Resources": [{"Type": "AwsEc2Instance", "Id": "i-1"}],
    });
    let outcome = own.import_findings(vec![finding]).await.unwrap();
    assert_eq!((outcome.imported, outcome.failed), (1, Vec::new()));
    let event = |source: &str| EventEntry {
        source: source.to_owned(),
        detail_type: "Muster Finding".to_owned(),
        detail: json!({"id": "finding-1"}),
        resources: vec!["i-1".to_owned()],
        bus: None,
        time: jiff::Timestamp::now(),
    };
    let outcomes = own.put_events(vec![event("muster"), event("aws.inspector2")]).await;
    assert!(outcomes[0].is_ok() && outcomes[1].is_err(), "{outcomes:?}");
}

async fn faults_cost_what_they_touch(emulator: &Emulator, own: &RegionClient, instances: usize) {
    let throttle = |service: &str| json!({"service": service, "every": 3});
    emulator.post("faults", &json!({"throttle": [throttle("ec2"), throttle("ssm"), throttle("lambda")]}));
    assert_eq!(own.topology().await.missing, [], "what is throttled is asked again");
    assert_eq!(own.instances().await.unwrap().missing, Vec::<String>::new());
    assert_eq!(own.functions().await.unwrap().resources.len(), 1);

    emulator.post("faults", &json!({"deny": [{"service": "ssm"}, {"service": "ec2", "action": "DescribeSubnets"}]}));
    let listing = own.instances().await.unwrap();
    assert_eq!((listing.resources.len(), listing.missing.len()), (instances, 3), "{:?}", listing.missing);
    let missing = own.topology().await.missing;
    assert_eq!(missing.iter().map(|answer| answer.call.as_str()).collect::<Vec<_>>(), ["ec2:DescribeSubnets"]);
    emulator.post("faults", &json!({}));
}
