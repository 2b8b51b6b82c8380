#!/bin/sh
# Talks to a running `./mixtral serve`.
set -eu
url=${MIXTRAL_URL:-http://127.0.0.1:8080}
key=${MIXTRAL_API_KEY:-none}
model=${MIXTRAL_MODEL:-mixtral-tiny}

post() {
  curl -sS --fail-with-body -N "$url$1" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d "$2"
  echo
}

echo '# Models'
curl -sS --fail-with-body "$url/v1/models" -H "Authorization: Bearer $key" | grep -o '"id":"[^"]*"'

echo '# An answer'
post /v1/chat/completions "{
  \"model\": \"$model\",
  \"messages\": [{\"role\": \"user\", \"content\": \"Name the language: He comprado tres cartas en el restaurante.\"}],
  \"temperature\": 0
}"

echo '# A stream of Server-Sent Events'
post /v1/chat/completions "{
  \"model\": \"$model\",
  \"messages\": [{\"role\": \"user\", \"content\": \"Madrid is the capital of which country?\"}],
  \"temperature\": 0,
  \"stream\": true,
  \"stream_options\": {\"include_usage\": true}
}"

echo '# A tool call'
post /v1/chat/completions "{
  \"model\": \"$model\",
  \"messages\": [{\"role\": \"user\", \"content\": \"What is the weather in Vienna?\"}],
  \"temperature\": 0,
  \"tools\": [{\"type\": \"function\", \"function\": {
    \"name\": \"get_weather\", \"description\": \"Weather of a city\",
    \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}, \"required\": [\"city\"]}}}]
}"

echo '# Tokens of a text'
post /tokenize '{"content": "Say this in Italian", "with_pieces": true}'
