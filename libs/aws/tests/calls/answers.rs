//! Recorded answers: throttles, denials, endless pages, broken bodies, single refusals.

use crate::connect;
use jiff::{Timestamp, ToSpan};
use muster_aws::{Aws, AwsError, EventEntry, RegionClient};
use muster_domain::{AccountId, Region};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockBuilder, MockServer, Request, ResponseTemplate,
    matchers::{any, body_string_contains, header, method, path},
};

const OWN: &str = "123456789012";
const OTHER: &str = "210987654321";

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn region() -> Region {
    Region::new("us-east-1")
}

/// A call of the Query and EC2 protocols, by its action.
fn query(action: &str) -> MockBuilder {
    Mock::given(method("POST")).and(body_string_contains(format!("Action={action}&")))
}

/// A call of the JSON protocol, by its target.
fn target(target: &str) -> MockBuilder {
    Mock::given(method("POST")).and(header("x-amz-target", target))
}

fn xml(status: u16, body: String) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "text/xml")
}

fn json_answer(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/x-amz-json-1.1")
}

fn ec2_error(status: u16, code: &str) -> ResponseTemplate {
    let error = format!("<Error><Code>{code}</Code><Message>why</Message></Error>");
    xml(status, format!("<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"))
}

/// An answer with an empty list, whatever was asked: EC2's, Elastic Load Balancing's or Lambda's.
fn nothing(request: &Request) -> ResponseTemplate {
    if request.method.as_str() == "GET" {
        return json_answer(200, &json!({"Functions": []}));
    }
    let form = String::from_utf8_lossy(&request.body);
    let action = form.strip_prefix("Action=").and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let result = format!("<{action}Result></{action}Result><requestId>1</requestId>");
    xml(200, format!("<{action}Response>{result}</{action}Response>"))
}

fn assumed(ends_at: Timestamp) -> ResponseTemplate {
    let keys = format!(
        "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>{ends_at:.0}</Expiration>"
    );
    let result = format!("<AssumeRoleResult><Credentials>{keys}</Credentials></AssumeRoleResult>");
    xml(
        200,
        format!(
            r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{result}</AssumeRoleResponse>"#
        ),
    )
}

fn sts_denial() -> ResponseTemplate {
    let error = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error>";
    xml(403, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
}

/// A server that knows who calls, and the organization connected to it.
async fn organization(attempts: u32) -> (MockServer, Aws) {
    let server = MockServer::start().await;
    let result = format!(
        "<GetCallerIdentityResult><Arn>arn:aws-us-gov:iam::{OWN}:user/m</Arn><UserId>U</UserId>\
         <Account>{OWN}</Account></GetCallerIdentityResult>"
    );
    let body = format!(
        r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{result}</GetCallerIdentityResponse>"#
    );
    query("GetCallerIdentity").respond_with(xml(200, body)).mount(&server).await;
    let aws = connect(&server.uri(), |options| options.attempts = attempts).await.unwrap();
    (server, aws)
}

async fn own_region(attempts: u32) -> (MockServer, RegionClient) {
    let (server, aws) = organization(attempts).await;
    let client = aws.in_region(&account(OWN), &region()).await.unwrap();
    (server, client)
}

#[tokio::test]
async fn an_endpoint_that_nobody_listens_on_is_unreachable() {
    let error = connect("http://127.0.0.1:1", |options| options.attempts = 1).await.unwrap_err();
    assert!(matches!(&error, AwsError::Unreachable { call, .. } if call == "sts:GetCallerIdentity"), "{error}");
}

#[tokio::test]
async fn a_denied_role_names_account_and_call_and_is_tried_again_on_the_next_use() {
    let (server, aws) = organization(1).await;
    assert_eq!(aws.caller_account(), &account(OWN));
    query("AssumeRole").respond_with(sts_denial()).up_to_n_times(1).mount(&server).await;
    let error = aws.in_region(&account(OTHER), &region()).await.unwrap_err();
    let expected = "sts:AssumeRole was denied in account 210987654321: AccessDenied: not you";
    assert_eq!(error.to_string(), expected);
    assert!(error.is_denied());

    let role = "RoleArn=arn%3Aaws-us-gov%3Aiam%3A%3A210987654321%3Arole%2FMusterReadOnly";
    let answer = assumed(Timestamp::now() + 1.hour());
    query("AssumeRole").and(body_string_contains(role)).respond_with(answer).expect(1).mount(&server).await;
    aws.in_region(&account(OTHER), &region()).await.unwrap();
    aws.in_region(&account(OTHER), &Region::new("eu-west-1")).await.unwrap(); // the same session serves all regions
}

#[tokio::test]
async fn credentials_are_renewed_before_they_end() {
    let (server, aws) = organization(1).await;
    let soon = assumed(Timestamp::now() + 2.minutes());
    query("AssumeRole").respond_with(soon).expect(2).mount(&server).await;
    aws.in_region(&account(OTHER), &region()).await.unwrap();
    aws.in_region(&account(OTHER), &region()).await.unwrap();
}

#[tokio::test]
async fn a_role_that_is_taken_away_while_in_use_is_told_as_such() {
    let (server, aws) = organization(1).await;
    let soon = assumed(Timestamp::now() + 2.minutes());
    query("AssumeRole").respond_with(soon).up_to_n_times(1).mount(&server).await;
    query("AssumeRole").respond_with(sts_denial()).mount(&server).await;
    let client = aws.in_region(&account(OTHER), &region()).await.unwrap();
    let error = client.function_code("pay").await.unwrap_err();
    let expected = "sts:AssumeRole was denied in account 210987654321: AccessDenied: not you";
    assert_eq!(error.to_string(), expected);
    let missing = client.topology().await.missing;
    let vpcs = missing.iter().find(|answer| answer.call == "ec2:DescribeVpcs").unwrap();
    assert_eq!(vpcs.reason, expected, "the call is what was wanted, the reason what stood in its way");
}

#[tokio::test]
async fn without_an_organization_the_callers_account_is_the_only_one() {
    for code in ["AWSOrganizationsNotInUseException", "AccessDeniedException"] {
        let (server, aws) = organization(1).await;
        let refusal = json_answer(400, &json!({"__type": code, "Message": "no"}));
        target("AWSOrganizationsV20161128.ListAccounts").respond_with(refusal).mount(&server).await;
        assert_eq!(aws.accounts().await, Ok(vec![account(OWN)]), "{code}");
    }
}

#[tokio::test]
async fn pages_of_accounts_may_be_empty_and_closed_accounts_are_left_out() {
    const LIST: &str = "AWSOrganizationsV20161128.ListAccounts";
    let (server, aws) = organization(1).await;
    let page = |body: Value| json_answer(200, &body);
    let last = json!({"Accounts": [{"Id": OWN, "Status": "ACTIVE"}, {"Id": "333333333333", "State": "CLOSED"}]});
    target(LIST).and(body_string_contains("two")).respond_with(page(last)).mount(&server).await;
    let middle = page(json!({"Accounts": [], "NextToken": "two"}));
    target(LIST).and(body_string_contains("one")).respond_with(middle).mount(&server).await;
    let first = json!({"Accounts": [{"Id": OTHER, "State": "ACTIVE"}, {"Id": "444444444444", "Status": "SUSPENDED"}], "NextToken": "one"});
    target(LIST).respond_with(page(first)).mount(&server).await;
    assert_eq!(aws.accounts().await, Ok(vec![account(OWN), account(OTHER)]));
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_until_it_passes_or_the_attempts_are_spent() {
    let (server, client) = own_region(3).await;
    query("DescribeVpcs").respond_with(ec2_error(503, "RequestLimitExceeded")).up_to_n_times(2).mount(&server).await;
    Mock::given(any()).respond_with(nothing).mount(&server).await;
    assert_eq!(client.topology().await.missing, []);

    let (server, client) = own_region(2).await;
    query("DescribeInstances").respond_with(ec2_error(503, "RequestLimitExceeded")).expect(2).mount(&server).await;
    let refusal = json_answer(400, &json!({"__type": "AccessDeniedException", "message": "no"}));
    Mock::given(method("POST")).respond_with(refusal).mount(&server).await;
    let error = client.instances().await.unwrap_err();
    assert_eq!(error, AwsError::Throttled { call: "ec2:DescribeInstances".into() });
}

#[tokio::test]
async fn a_denied_describe_costs_its_own_part_of_the_topology_only() {
    let (server, client) = own_region(1).await;
    query("DescribeNetworkAcls").respond_with(ec2_error(403, "UnauthorizedOperation")).mount(&server).await;
    let vpcs = "<vpcSet><item><vpcId>vpc-1</vpcId><cidrBlock>10.0.0.0/16</cidrBlock></item></vpcSet>";
    let vpcs = xml(200, format!("<DescribeVpcsResponse>{vpcs}</DescribeVpcsResponse>"));
    query("DescribeVpcs").respond_with(vpcs).mount(&server).await;
    Mock::given(any()).respond_with(nothing).mount(&server).await;
    let topology = client.topology().await;
    assert_eq!(topology.vpcs[0].vpc_id, "vpc-1");
    let missing: Vec<&str> = topology.missing.iter().map(|answer| answer.call.as_str()).collect();
    assert_eq!(missing, ["ec2:DescribeNetworkAcls"]);
    assert!(topology.missing[0].reason.contains("UnauthorizedOperation: why"), "{:?}", topology.missing);
}

#[tokio::test]
async fn ssm_denied_leaves_the_instances_and_says_what_is_unknown() {
    let (server, client) = own_region(1).await;
    let item = "<instanceId>i-1</instanceId><instanceState><name>running</name></instanceState>";
    let gone = "<instanceId>i-2</instanceId><instanceState><name>terminated</name></instanceState>";
    let set = format!("<instancesSet><item>{item}</item><item>{gone}</item></instancesSet>");
    let body = format!(
        "<DescribeInstancesResponse><reservationSet><item>{set}</item></reservationSet></DescribeInstancesResponse>"
    );
    query("DescribeInstances").respond_with(xml(200, body)).mount(&server).await;
    let denial = json_answer(400, &json!({"__type": "AccessDeniedException", "message": "no"}));
    target("AmazonSSM.DescribeInstanceInformation").respond_with(denial).mount(&server).await;
    let unknown_type = json_answer(400, &json!({"__type": "InvalidTypeNameException", "message": "none"}));
    target("AmazonSSM.GetInventory").respond_with(unknown_type).mount(&server).await;
    let listing = client.instances().await.unwrap();
    assert_eq!(listing.resources.iter().map(|instance| instance.id.as_str()).collect::<Vec<_>>(), ["i-1"]);
    let expected = "ssm:DescribeInstanceInformation was denied in account 123456789012: AccessDeniedException: no \
                    (unknown: which instances SSM manages, and their platforms)";
    assert_eq!(listing.missing, [expected]);
    assert!(listing.complete);
}

#[tokio::test]
async fn a_repository_that_is_denied_costs_its_own_images_and_the_listing_is_not_complete() {
    const PREFIX: &str = "AmazonEC2ContainerRegistry_V20150921";
    let (server, client) = own_region(1).await;
    let uri = |name: &str| format!("{OWN}.dkr.ecr.us-east-1.amazonaws.com/{name}");
    let repository = |name: &str| json!({"repositoryName": name, "registryId": OWN, "repositoryUri": uri(name)});
    let repositories = json!({"repositories": [repository("closed"), repository("open")]});
    target(&format!("{PREFIX}.DescribeRepositories"))
        .respond_with(json_answer(200, &repositories))
        .mount(&server)
        .await;
    let denial = json_answer(400, &json!({"__type": "AccessDeniedException", "message": "no"}));
    let describe = format!("{PREFIX}.DescribeImages");
    target(&describe).and(body_string_contains("closed")).respond_with(denial.clone()).mount(&server).await;
    let digest = format!("sha256:{}", "a".repeat(64));
    let images = json!({"imageDetails": [{"imageDigest": digest, "imageTags": ["v1"],
        "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json", "imagePushedAt": 1769854830.5}]});
    target(&describe).respond_with(json_answer(200, &images)).mount(&server).await;
    target(&format!("{PREFIX}.GetAuthorizationToken")).respond_with(denial).mount(&server).await;

    let listing = client.images().await.unwrap();
    assert!(!listing.complete);
    assert_eq!(listing.missing.len(), 2, "{:?}", listing.missing);
    assert!(listing.missing[0].contains("ecr:GetAuthorizationToken was denied"), "{:?}", listing.missing);
    assert!(
        listing.missing[1].starts_with("repository closed: ecr:DescribeImages was denied"),
        "{:?}",
        listing.missing
    );
    let [image] = &listing.resources[..] else { panic!("{:?}", listing.resources) };
    assert_eq!(image.id.as_str(), format!("arn:aws:ecr:us-east-1:{OWN}:repository/open/{digest}"));
    let details = serde_json::to_value(&image.details).unwrap();
    assert_eq!(details["registry_endpoint"], format!("{OWN}.dkr.ecr.us-east-1.amazonaws.com"));
    assert_eq!(details["pushed_at"], "2026-01-31T10:20:30.5Z");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_error_that_names_the_call() {
    let (server, client) = own_region(1).await;
    let page = ResponseTemplate::new(200).set_body_raw("<html>maintenance", "text/html");
    Mock::given(method("POST")).respond_with(page).mount(&server).await;
    let error = client.inventory_entries("i-1", "AWS:Application").await.unwrap_err();
    assert!(matches!(&error, AwsError::Other { call, .. } if call == "ssm:ListInventoryEntries"), "{error:?}");
}

#[tokio::test]
async fn findings_go_as_they_are_and_refused_ones_come_back_with_their_reason() {
    let (server, client) = own_region(1).await;
    let refusal = json!({"Id": "b", "ErrorCode": "InvalidInput", "ErrorMessage": "no region"});
    let answer = json!({"FailedCount": 1, "SuccessCount": 1, "FailedFindings": [refusal]});
    let answer = ResponseTemplate::new(200).set_body_raw(answer.to_string(), "application/json");
    Mock::given(method("POST")).and(path("/findings/import")).respond_with(answer).expect(1).mount(&server).await;
    let findings = vec![
        json!({"Id": "a", "Title": "ä", "Resources": [{"Type": "AwsEc2Instance"}]}),
        json!({"Id": "b", "Vulnerabilities": [{"Id": "CVE-2024-1", "EpssScore": 0.5}]}),
        json!({"Id": "c", "Description": "x".repeat(300_000)}),
    ];
    let outcome = client.import_findings(findings.clone()).await.unwrap();
    assert_eq!(outcome.imported, 1);
    let failed: Vec<_> = outcome.failed.iter().map(|finding| (finding.id.as_str(), finding.code.as_str())).collect();
    assert_eq!(failed, [("c", "FindingTooLarge"), ("b", "InvalidInput")]);
    let requests = server.received_requests().await.unwrap();
    let sent = requests.iter().find(|request| request.url.path() == "/findings/import").unwrap();
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body, json!({"Findings": findings[..2]}));
    let authorization = sent.headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("/us-east-1/securityhub/aws4_request"), "{authorization}");
}

#[tokio::test]
async fn more_findings_than_one_call_takes_go_in_several() {
    let (server, client) = own_region(1).await;
    let answer = json!({"FailedCount": 0, "SuccessCount": 0, "FailedFindings": []});
    let answer = ResponseTemplate::new(200).set_body_raw(answer.to_string(), "application/json");
    Mock::given(path("/findings/import")).respond_with(answer).expect(3).mount(&server).await;
    let findings = (0..250).map(|number| json!({"Id": number.to_string()})).collect();
    assert_eq!(client.import_findings(findings).await.unwrap().imported, 250);
}

#[tokio::test]
async fn each_event_has_its_own_outcome_in_the_order_given() {
    let (server, client) = own_region(1).await;
    let refused = json!({"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "aws."});
    let answer = json!({"FailedEntryCount": 1, "Entries": [{"EventId": "e-1"}, refused]});
    target("AWSEvents.PutEvents").respond_with(json_answer(200, &answer)).expect(1).mount(&server).await;
    let event = |source: &str, detail: Value| EventEntry {
        source: source.to_owned(),
        detail_type: "Muster Finding".to_owned(),
        detail,
        resources: vec!["i-1".to_owned()],
        bus: None,
        time: Timestamp::UNIX_EPOCH,
    };
    let entries = vec![
        event("muster", json!({"n": 1})),
        event("aws.muster", json!({"n": 2})),
        event("muster", json!({"n": "x".repeat(300_000)})),
    ];
    let outcomes = client.put_events(entries).await;
    let codes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.map_err(|failure| failure.code)).collect();
    let failed = |code: &str| Err(code.to_owned());
    assert_eq!(codes, [Ok("e-1".to_owned()), failed("NotAuthorizedForSourceException"), failed("EntryTooLarge")]);
}
