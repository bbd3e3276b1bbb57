// The template validation that the CDK runs after each synth costs seconds a test file; cfn-lint checks the templates once.
process.env.CDK_VALIDATION = 'false';
process.env.AWS_EC2_METADATA_DISABLED = 'true';
