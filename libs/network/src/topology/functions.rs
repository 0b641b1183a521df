//! Lambda functions, their URLs and policies (`ListFunctions`, `ListFunctionUrlConfigs`, `GetPolicy`).

aws! { "PascalCase";
    /// Lambda `FunctionConfiguration`.
    pub struct Function {
        /// Its name.
        pub function_name: String,
        /// Its ARN.
        pub function_arn: Option<String>,
        /// Where its interfaces stand.
        pub vpc_config: Option<FunctionVpcConfig>,
    }

    /// Lambda `VpcConfigResponse`.
    pub struct FunctionVpcConfig {
        /// `vpc-…`.
        pub vpc_id: Option<String>,
        /// `subnet-…`.
        pub subnet_ids: Vec<String>,
        /// `sg-…`.
        pub security_group_ids: Vec<String>,
    }

    /// Lambda `FunctionUrlConfig`.
    pub struct FunctionUrl {
        /// Its address.
        pub function_url: Option<String>,
        /// The ARN of the function, perhaps with an alias.
        pub function_arn: String,
        /// `NONE` or `AWS_IAM`.
        pub auth_type: Option<String>,
    }

    /// The answer of Lambda `GetPolicy`, with the function that it is about.
    pub struct FunctionPolicy {
        /// The function's name.
        pub function_name: String,
        /// A policy in JSON, as text.
        pub policy: String,
    }
}
