// The template validation that the CDK runs after each synth costs seconds a test file; cfn-lint checks the templates once.
process.env.CDK_VALIDATION = 'false';
process.env.AWS_EC2_METADATA_DISABLED = 'true';
// The SDK's note on Node 20 would stand before every test's output; CONTRIBUTING.md says it once.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
