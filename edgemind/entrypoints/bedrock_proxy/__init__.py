"""`edgemind bedrock-proxy`: OpenAI's chat API to gateways and clients, Amazon Bedrock's Converse API behind it."""
