//! Where to work and with which role: flags and `MUSTER_*` variables.

use muster_domain::{AccountId, Region};
use std::env;

/// The region when neither the options nor the environment name one: the one that Organizations and STS live in.
const REGION_DEFAULT: &str = "us-east-1";

/// Which accounts and regions are watched, and how they are reached. Credentials come from the AWS default chain
/// (environment, profile, web identity, container, instance).
#[derive(Clone, Debug, clap::Args)]
pub struct AwsOptions {
    /// Regions to watch, separated by commas [default: AWS_REGION, AWS_DEFAULT_REGION, else us-east-1]
    #[arg(long, env = "MUSTER_REGIONS", value_delimiter = ',', value_name = "REGION")]
    pub regions: Vec<String>,

    /// Accounts to watch, separated by commas [default: all of the organization, else the caller's own]
    #[arg(long, env = "MUSTER_ACCOUNTS", value_delimiter = ',', value_name = "ACCOUNT")]
    pub accounts: Vec<AccountId>,

    /// The role assumed in every account but the caller's own
    #[arg(long, env = "MUSTER_ROLE_NAME", default_value = "MusterReadOnly", value_name = "NAME")]
    pub role_name: String,

    /// The external id that the role's trust policy asks for
    #[arg(long, env = "MUSTER_EXTERNAL_ID", value_name = "ID", hide_env_values = true)]
    pub external_id: Option<String>,

    /// One address for every AWS service: an emulator [default: AWS' own addresses]
    #[arg(long = "endpoint-url", env = "MUSTER_AWS_ENDPOINT_URL", value_name = "URL")]
    pub endpoint_url: Option<String>,

    /// How often one AWS call is tried in all, with growing pauses, before it counts as failed
    #[arg(long = "aws-attempts", env = "MUSTER_AWS_ATTEMPTS", default_value_t = ATTEMPTS_DEFAULT, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=20))]
    pub attempts: u32,
}

/// Six attempts wait 1 + 2 + 4 + 8 + 16 s at most: longer than any bucket of EC2 needs to refill from empty.
const ATTEMPTS_DEFAULT: u32 = 6;

impl Default for AwsOptions {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            accounts: Vec::new(),
            role_name: "MusterReadOnly".to_owned(),
            external_id: None,
            endpoint_url: None,
            attempts: ATTEMPTS_DEFAULT,
        }
    }
}

impl AwsOptions {
    /// The regions to watch, never empty, without doubles, in the order given.
    pub(crate) fn effective_regions(&self) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        for name in self.regions.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            let region = Region::new(name);
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        if regions.is_empty() {
            let named = |variable| env::var(variable).ok().filter(|name: &String| !name.trim().is_empty());
            let name = named("AWS_REGION").or_else(|| named("AWS_DEFAULT_REGION"));
            regions.push(Region::new(name.unwrap_or_else(|| REGION_DEFAULT.to_owned())));
        }
        regions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        aws: AwsOptions,
    }

    #[test]
    fn regions_come_in_the_order_given_without_blanks_and_doubles() {
        let check = |flag: &str, expected: &[&str]| {
            let command = Command::parse_from(["muster", "--regions", flag]);
            let regions = command.aws.effective_regions();
            assert_eq!(regions.iter().map(Region::as_str).collect::<Vec<_>>(), expected, "{flag}");
        };
        check("eu-central-1", &["eu-central-1"]);
        check("us-west-2, eu-central-1,,us-west-2", &["us-west-2", "eu-central-1"]);
    }

    #[test]
    fn an_account_that_is_not_twelve_digits_is_refused_before_anything_is_opened() {
        let refused = Command::try_parse_from(["muster", "--accounts", "123456789012,12"]);
        assert!(refused.is_err_and(|error| error.to_string().contains("`12` is not twelve digits")));
    }

    #[test]
    fn the_flags_defaults_are_the_defaults_of_the_type() {
        let command = Command::parse_from(["muster"]);
        let default = AwsOptions::default();
        assert_eq!(command.aws.role_name, default.role_name);
        assert_eq!(command.aws.attempts, default.attempts);
    }
}
