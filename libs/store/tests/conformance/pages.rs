//! The gateway: filters, sorting and pages.

use super::things::*;
use muster_domain::*;
use muster_store::*;

const ACCOUNT: &str = "500000000001";

/// Five findings, named by a letter in the tests.
async fn fleet(store: &Store) -> [(char, Finding); 5] {
    let mut server = instance(ACCOUNT, "i-f1");
    server.tags.insert("team".to_owned(), "50%_off".to_owned());
    let image = image(ACCOUNT, "shop/web", &["1.0", "latest"]);
    let lambda = function(ACCOUNT, "mail");
    put(store, &[server.clone(), image.clone(), lambda.clone()]).await;
    let epss = |score| Some(Epss { score, percentile: 0.5 });
    let critical = Finding {
        severity: Severity::Critical,
        inspector_score: score(98),
        epss: epss(0.94321),
        exploit_available: Some(ExploitAvailable::Yes),
        ..finding(&server, "CVE-2024-0001")
    };
    let port = Finding { first_observed_at: at(100), ..network_finding(&server, (20, 25)) };
    let medium = Finding {
        severity: Severity::Medium,
        inspector_score: score(69),
        epss: epss(0.00043),
        fix_available: Some(FixAvailable::Partial),
        last_observed_at: at(200),
        updated_at: at(300),
        ..finding(&image, "CVE-2024-0002")
    };
    let mut closed = Finding {
        status: FindingStatus::Closed,
        closed_at: Some(at(5)),
        inspector_score: score(75),
        ..finding(&image, "CVE-2023-0003")
    };
    if let FindingDetails::Package(found) = &mut closed.details {
        found.packages[0].package = package("npm", "left-pad", "1.0.0");
    }
    let untriaged = Finding {
        severity: Severity::Untriaged,
        region: Region::new("us-east-1"),
        ..finding(&lambda, "CVE-2024-0004")
    };
    let all = [('c', critical), ('p', port), ('m', medium), ('x', closed), ('u', untriaged)];
    for (_, finding) in &all {
        apply(store, std::slice::from_ref(finding)).await;
    }
    all
}

fn mine() -> FindingFilter {
    FindingFilter { account: vec![StringFilter::equals(ACCOUNT)], ..FindingFilter::default() }
}

pub async fn every_filter_field_selects(store: &Store) {
    use StringFilter as S;
    let fleet = fleet(store).await;
    let arn = fleet[0].1.arn();
    let dates = |start: Option<i64>, end: Option<i64>| vec![DateRange { start: start.map(at), end: end.map(at) }];
    let numbers = |lower, upper| vec![NumberRange { lower, upper }];
    let ports = |begin, end| vec![PortRange { begin, end }];
    let tag = |key: &str, value: Option<&str>| TagFilter { key: key.to_owned(), value: value.map(str::to_owned) };
    fn package(name: Option<S>, version: Option<S>) -> PackageFilter {
        PackageFilter { name, version }
    }
    let web_hash = digest("shop/web").to_string();
    // the field, and the letters of the findings that it lets through
    type Set = Box<dyn Fn(&mut FindingFilter) + Send>;
    let set = |set: fn(&mut FindingFilter)| Box::new(set) as Set;
    let cases: Vec<(Set, &str)> = vec![
        (set(|_| ()), "cpmxu"),
        (
            {
                let arn = arn.clone();
                Box::new(move |f| f.finding_arn = vec![S::equals(&arn)])
            },
            "c",
        ),
        (set(|f| f.finding_arn = vec![S::prefix("arn:aws:inspector2:us-east-1:")]), "u"),
        (
            {
                let arn = arn.clone();
                Box::new(move |f| f.finding_arn = vec![S::not_equals(&arn)])
            },
            "pmxu",
        ),
        (set(|f| f.region = vec![S::equals("us-east-1")]), "u"),
        (set(|f| f.region = vec![S::prefix("eu-"), S::prefix("us-")]), "cpmxu"),
        (set(|f| f.region = vec![S::equals("' OR '1' = '1")]), ""),
        (set(|f| f.finding_type = vec![S::equals("NETWORK_REACHABILITY")]), "p"),
        (set(|f| f.severity = vec![S::equals("CRITICAL"), S::equals("UNTRIAGED")]), "cu"),
        (set(|f| f.severity = vec![S::prefix("C")]), "c"),
        (set(|f| f.severity = vec![S::not_equals("CRITICAL"), S::not_equals("HIGH")]), "pmu"),
        (set(|f| f.severity = vec![S::equals("NEVER")]), ""),
        (set(|f| f.status = vec![S::equals("CLOSED")]), "x"),
        (set(|f| f.status = vec![S::not_equals("CLOSED")]), "cpmu"),
        (set(|f| f.title = vec![S::prefix("CVE-2024-")]), "cmu"),
        (set(|f| f.title = vec![S::prefix("cve-2024-")]), ""), // letters count as they are
        (set(|f| f.title = vec![S::prefix("CVE-2024-%")]), ""), // and nothing is a pattern
        (set(|f| f.resource_type = vec![S::equals("AWS_LAMBDA_FUNCTION")]), "u"),
        (set(|f| f.resource_id = vec![S::equals("i-f1")]), "cp"),
        (set(|f| f.resource_id = vec![S::prefix("arn:aws:ecr:")]), "mx"),
        (
            {
                let t = tag("team", Some("50%_off"));
                Box::new(move |f| f.resource_tags = vec![t.clone()])
            },
            "cp",
        ),
        (
            {
                let t = tag("team", Some("50"));
                Box::new(move |f| f.resource_tags = vec![t.clone()])
            },
            "",
        ),
        (
            {
                let t = tag("team", None);
                Box::new(move |f| f.resource_tags = vec![t.clone()])
            },
            "cp",
        ),
        (set(|f| f.vulnerability_id = vec![S::equals("CVE-2024-0002"), S::equals("CVE-2024-0004")]), "mu"),
        (set(|f| f.package_name = vec![S::equals("left-pad")]), "x"),
        (set(|f| f.package_name = vec![S::prefix("open")]), "cmu"),
        (set(|f| f.package_name = vec![S::not_equals("openssl")]), "px"),
        (set(|f| f.packages = vec![package(None, Some(S::equals("3.0.11-1")))]), "cmu"),
        (set(|f| f.packages = vec![package(Some(S::equals("left-pad")), Some(S::equals("3.0.11-1")))]), ""),
        (set(|f| f.packages = vec![package(Some(S::equals("openssl")), Some(S::prefix("3.0.")))]), "cmu"),
        (set(|f| f.packages = vec![package(Some(S::equals("openssl")), Some(S::not_equals("3.0.11-1")))]), ""),
        (set(|f| f.packages = vec![package(Some(S::not_equals("openssl")), None)]), "px"),
        (
            set(|f| {
                let left_pad = package(Some(S::equals("left-pad")), None);
                f.packages = vec![left_pad, package(Some(S::equals("openssl")), Some(S::equals("3.0.11-1")))];
            }),
            "cmxu",
        ),
        (set(|f| f.vulnerability_id = vec![S::not_equals("CVE-2024-0002")]), "cpxu"),
        (set(|f| f.fix_available = vec![S::equals("PARTIAL")]), "m"),
        (set(|f| f.exploit_available = vec![S::equals("YES")]), "c"),
        (
            {
                let d = dates(Some(100), None);
                Box::new(move |f| f.first_observed_at = d.clone())
            },
            "p",
        ),
        (
            {
                let d = dates(Some(101), None);
                Box::new(move |f| f.first_observed_at = d.clone())
            },
            "",
        ),
        (
            {
                let d = dates(None, Some(99));
                Box::new(move |f| f.last_observed_at = d.clone())
            },
            "cpxu",
        ),
        (
            {
                let d = dates(Some(300), Some(300));
                Box::new(move |f| f.updated_at = d.clone())
            },
            "m",
        ),
        (
            {
                let n = numbers(Some(6.9), Some(7.5));
                Box::new(move |f| f.inspector_score = n.clone())
            },
            "mx",
        ),
        (
            {
                let n = numbers(None, Some(10.0));
                Box::new(move |f| f.inspector_score = n.clone())
            },
            "cmx",
        ),
        (
            {
                let n = numbers(Some(-5.0), Some(6.8));
                Box::new(move |f| f.inspector_score = n.clone())
            },
            "",
        ),
        (
            {
                let n = numbers(Some(0.94321), None);
                Box::new(move |f| f.epss_score = n.clone())
            },
            "c",
        ),
        (
            {
                let n = numbers(Some(f64::NAN), Some(0.00043));
                Box::new(move |f| f.epss_score = n.clone())
            },
            "m",
        ),
        (
            {
                let p = ports(Some(22), Some(22));
                Box::new(move |f| f.port_range = p.clone())
            },
            "p",
        ),
        (
            {
                let p = ports(Some(26), None);
                Box::new(move |f| f.port_range = p.clone())
            },
            "",
        ),
        (
            {
                let p = ports(None, None);
                Box::new(move |f| f.port_range = p.clone())
            },
            "p",
        ),
        (set(|f| f.network_protocol = vec![S::equals("TCP")]), "p"),
        (set(|f| f.component_id = vec![S::equals("igw-1")]), "p"),
        (set(|f| f.component_id = vec![S::prefix("eni-")]), "p"),
        (set(|f| f.ecr_repository = vec![S::prefix("shop/")]), "mx"),
        (set(|f| f.ecr_registry = vec![S::equals(ACCOUNT)]), "mx"),
        (set(|f| f.ecr_image_tag = vec![S::equals("latest")]), "mx"),
        (set(|f| f.ecr_image_tag = vec![S::not_equals("latest")]), "cpu"),
        (
            {
                let hash = web_hash.clone();
                Box::new(move |f| f.ecr_image_hash = vec![S::equals(&hash)])
            },
            "mx",
        ),
        (set(|f| f.ecr_image_architecture = vec![S::equals("amd64")]), "mx"),
        (set(|f| f.ec2_image = vec![S::equals("ami-1")]), "cp"),
        (set(|f| f.ec2_vpc = vec![S::equals("vpc-1")]), "cp"),
        (set(|f| f.ec2_subnet = vec![S::equals("subnet-2")]), ""),
        (set(|f| f.lambda_name = vec![S::equals("mail")]), "u"),
        (set(|f| f.lambda_runtime = vec![S::prefix("python")]), "u"),
        (set(|f| f.lambda_layer = vec![S::equals("arn:layer:1")]), "u"),
        (set(|f| f.lambda_role = vec![S::equals("arn:role")]), "u"),
        // fields are joined by AND
        (
            set(|f| {
                f.resource_id = vec![S::equals("i-f1")];
                f.severity = vec![S::equals("CRITICAL")]
            }),
            "c",
        ),
    ];
    for (number, (set, expected)) in cases.into_iter().enumerate() {
        let mut filter = mine();
        set(&mut filter);
        let query = FindingQuery { filter, page_size: 100, ..FindingQuery::default() };
        let page = store.findings(&query).await.unwrap();
        let found: String = fleet.iter().filter(|(_, f)| page.findings.contains(f)).map(|(letter, _)| letter).collect();
        assert_eq!(found, expected, "case {number}");
        assert_eq!(page.findings.len(), expected.len(), "case {number}");
    }
    let too_much = FindingFilter { title: vec![S::equals("x"); 2_001], ..FindingFilter::default() };
    let query = FindingQuery { filter: too_much, page_size: 1, ..FindingQuery::default() };
    assert!(matches!(store.findings(&query).await, Err(StoreError::Invalid { .. })));
}

pub async fn pages_are_complete_in_every_order(store: &Store) {
    let account = "500000000002";
    let functions = ["a", "b", "c"].map(|name| function(account, name));
    put(store, &functions).await;
    let mut all = Vec::new();
    for (number, function) in functions.iter().cycle().take(23).enumerate() {
        let number = number as i64;
        let severity = Severity::ALL[number as usize % 6];
        let inspector_score = if number % 4 == 0 { None } else { score((number % 5) as u8 * 20) };
        let epss = (number % 3 != 0).then(|| Epss { score: (number % 7) as f64 / 10.0, percentile: 0.0 });
        let times = (at(number % 3), at(number % 4));
        let id = format!("CVE-{}-{number}", 2020 + number % 2);
        let finding = finding(function, &id);
        let (first_observed_at, last_observed_at) = times;
        all.push(Finding { severity, inspector_score, epss, first_observed_at, last_observed_at, ..finding });
    }
    apply(store, &all).await;
    let filter = FindingFilter { account: vec![StringFilter::equals(account)], ..FindingFilter::default() };
    let mut orders = vec![None];
    for field in SortField::ALL {
        assert_eq!(SortField::parse(field.as_str()), Some(field));
        orders.extend([false, true].map(|descending| Some(Sort { field, descending })));
    }
    for sort in orders {
        let mut query = FindingQuery { filter: filter.clone(), sort, page_size: 4, after: None };
        let mut seen: Vec<Finding> = Vec::new();
        loop {
            let page = store.findings(&query).await.unwrap();
            assert!(page.findings.len() == 4 || page.next.is_none());
            seen.extend(page.findings);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        let mut expected = all.clone();
        expected.sort_by(|a, b| {
            let by_id = a.id.cmp(&b.id);
            let Some(sort) = sort else { return by_id };
            let order = in_order(sort.field, a, b);
            if sort.descending { order.reverse() } else { order }.then(by_id)
        });
        let ids = |findings: &[Finding]| findings.iter().map(|finding| finding.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(&seen), ids(&expected), "{sort:?}");
    }
}

fn in_order(field: SortField, a: &Finding, b: &Finding) -> std::cmp::Ordering {
    let score = |finding: &Finding| finding.inspector_score.as_ref().map(|score| score.score);
    let epss = |finding: &Finding| finding.epss.map_or(-1.0, |epss| epss.score);
    match field {
        SortField::AwsAccountId => a.account.cmp(&b.account),
        SortField::FindingType => a.kind().as_str().cmp(b.kind().as_str()),
        SortField::Severity => a.severity.cmp(&b.severity),
        SortField::FirstObservedAt => a.first_observed_at.cmp(&b.first_observed_at),
        SortField::LastObservedAt => a.last_observed_at.cmp(&b.last_observed_at),
        SortField::FindingStatus => a.status.as_str().cmp(b.status.as_str()),
        SortField::ResourceType => a.resource_kind.as_str().cmp(b.resource_kind.as_str()),
        SortField::InspectorScore => score(a).cmp(&score(b)),
        SortField::VulnerabilityId => a.title.cmp(&b.title), // which begins with it
        SortField::EpssScore => epss(a).total_cmp(&epss(b)),
    }
}

pub async fn a_cursor_of_another_query_is_refused(store: &Store) {
    let by = |field| Some(Sort { field, descending: true });
    let query = FindingQuery { filter: mine(), sort: by(SortField::Severity), page_size: 2, after: None };
    let next = store.findings(&query).await.unwrap().next;
    assert!(next.is_some());
    let resume = async |query: FindingQuery| store.findings(&query).await;
    // another page size is the same query
    let wider = FindingQuery { page_size: 3, after: next.clone(), ..query.clone() };
    assert_eq!(resume(wider).await.unwrap().findings.len(), 3);
    let filter = FindingFilter { status: vec![StringFilter::equals("ACTIVE")], ..mine() };
    let forged = |raw: &str| Some(raw.to_owned());
    let strangers = [
        FindingQuery { sort: by(SortField::FindingType), after: next.clone(), ..query.clone() },
        FindingQuery { sort: None, after: next.clone(), ..query.clone() },
        FindingQuery { filter, after: next.clone(), ..query.clone() },
        FindingQuery { after: forged(""), ..query.clone() },
        FindingQuery { after: forged("' OR 1=1"), ..query.clone() },
        FindingQuery { after: next.map(|next| next[..next.len() - 4].to_owned()), ..query.clone() },
    ];
    for (number, stranger) in strangers.into_iter().enumerate() {
        let result = resume(stranger).await;
        assert!(matches!(result, Err(StoreError::ForeignCursor)), "stranger {number}: {result:?}");
    }
}
