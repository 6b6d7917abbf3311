{{/* Model servers with their defaults filled in, and how each engine is started. */}}

{{- define "edgemind.servers" -}}
{{- $small := dict "requests" (dict "cpu" "500m" "memory" "256Mi") "limits" (dict "cpu" "1" "memory" "512Mi") -}}
{{- $cpu := dict "requests" (dict "cpu" "1" "memory" "1Gi") "limits" (dict "cpu" "2" "memory" "2Gi") -}}
{{- $by_engine := dict
  "vllm" (dict "slots" 64 "serviceMs" 1000 "startupSeconds" 900)
  "llama_cpp" (dict "slots" 2 "serviceMs" 400 "startupSeconds" 120 "resources" $cpu)
  "simulated" (dict "slots" 8 "serviceMs" 20 "startupSeconds" 60 "resources" $small)
-}}
{{- $servers := list -}}
{{- range .Values.modelServers -}}
{{- $defaults := merge (dict "threads" 1 "contextTokens" 1024 "extraArgs" list "scratchSize" "20Gi") (get $by_engine .engine) -}}
{{- $servers = append $servers (merge (deepCopy .) $defaults) -}}
{{- end -}}
{{- toJson $servers -}}
{{- end -}}

{{/* Each is (dict "root" $ "server" <an entry of edgemind.servers>). */}}
{{- define "edgemind.engine.vllm" -}}
{{- $server := .server -}}
command: [vllm, serve]
args:
  - {{ hasKey $server.weights "file" | ternary (printf "/models/%s" $server.weights.file) $server.weights.hub }}
  - --served-model-name={{ $server.model }}
  - --host={{ .root.Values.listen }}
  - --port=8400
  - --max-num-seqs={{ int $server.slots }}
  {{- with $server.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  # The image was made for root with a home to write to; here everything it writes goes to one volume.
  - {name: HOME, value: /var/cache/edgemind}
  - {name: USER, value: edgemind}
  - {name: HF_HOME, value: /var/cache/edgemind/huggingface}
  - {name: VLLM_CACHE_ROOT, value: /var/cache/edgemind/vllm}
  - {name: TORCHINDUCTOR_CACHE_DIR, value: /var/cache/edgemind/inductor}
  - {name: TRITON_CACHE_DIR, value: /var/cache/edgemind/triton}
  - {name: VLLM_NO_USAGE_STATS, value: "1"}
  {{- if hasKey $server.weights "file" }}
  - {name: HF_HUB_OFFLINE, value: "1"}
  {{- end }}
{{- end -}}

{{- define "edgemind.engine.llama_cpp" -}}
{{- $server := .server -}}
args:
  {{- include "edgemind.engine.own" . | nindent 2 }}
  - --threads={{ int $server.threads }}
  - --context-tokens={{ int $server.contextTokens }}
  {{- with $server.weights }}
  - --gguf=/models/{{ .file }}
  {{- end }}
{{- end -}}

{{- define "edgemind.engine.simulated" -}}
args:
  {{- include "edgemind.engine.own" . | nindent 2 }}
{{- end -}}

{{- define "edgemind.engine.own" -}}
- model-server
- --config=/etc/edgemind/edgemind.yaml
- --site={{ .root.Values.site.name }}
- --model={{ .server.model }}
- --bind={{ .root.Values.listen }}
{{- end -}}
