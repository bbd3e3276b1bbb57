// The SDK's note on Node 20, which is supported until the SDK drops it, would stand in the middle of the output.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
