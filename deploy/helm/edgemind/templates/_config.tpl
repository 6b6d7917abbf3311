{{/* edgemind.yaml as this site reads it. */}}

{{/* The model that an entry of modelServers serves, as edgemind.yaml declares it. */}}
{{- define "edgemind.config.model" -}}
{{- $server := .server -}}
{{- $url := printf "http://%s:8400/v1" (include "edgemind.model.name" .) -}}
{{- $model := dict "name" $server.model "base_url" $url "slots" $server.slots "service_ms" $server.serviceMs -}}
{{- if ne $server.engine "vllm" }}{{ $_ := set $model "engine" $server.engine }}{{ end -}}
{{- with $server.maxReplicas }}{{ $_ := set $model "max_replicas" . }}{{ end -}}
{{- with $server.sizeGb }}{{ $_ := set $model "size_gb" . }}{{ end -}}
{{- with $server.loadMs }}{{ $_ := set $model "load_ms" . }}{{ end -}}
{{- with $server.simulated }}{{ $_ := set $model "simulated" . }}{{ end -}}
{{- toJson $model -}}
{{- end -}}

{{/* This site's entry as config.sites has it, or only its name. */}}
{{- define "edgemind.config.declared" -}}
{{- $own := dict "name" .Values.site.name -}}
{{- range .Values.config.sites -}}
{{- if eq .name $.Values.site.name }}{{ $own = . }}{{ end -}}
{{- end -}}
{{- toJson $own -}}
{{- end -}}

{{/* The same, completed. Controller and admin listeners are reached inside the cluster, whatever other sites call them. */}}
{{- define "edgemind.config.own" -}}
{{- $own := include "edgemind.config.declared" . | fromJson -}}
{{- $models := $own.models | default list -}}
{{- range include "edgemind.servers" . | fromJsonArray -}}
{{- $models = append $models (include "edgemind.config.model" (dict "root" $ "server" .) | fromJson) -}}
{{- end -}}
{{- $_ := set $own "models" $models -}}
{{- $_ := set $own "gateway" ($own.gateway | default (include "edgemind.gateway.url" .)) -}}
{{- $_ := set $own "admin" (printf "http://%s-gateway-admin:8150" (include "edgemind.name" .)) -}}
{{- $_ := set $own "controller" (include "edgemind.controller.url" .) -}}
{{- toJson $own -}}
{{- end -}}

{{- define "edgemind.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $own := include "edgemind.config.own" . | fromJson -}}
{{- $sites := list -}}
{{- $seen := false -}}
{{- range $config.sites -}}
{{- if eq .name $.Values.site.name -}}
{{- $sites = append $sites $own -}}
{{- $seen = true -}}
{{- else -}}
{{- $sites = append $sites . -}}
{{- end -}}
{{- end -}}
{{- if not $seen }}{{ $sites = append $sites $own }}{{ end -}}
{{- $_ := set $config "sites" $sites -}}
{{- if .Values.controller.scaling.enabled -}}
{{- $_ := set $config "swarm" (merge (dict "scaler" "kubernetes") ($config.swarm | default dict)) -}}
{{- end -}}
{{- if include "edgemind.state.volume" . -}}
{{- $_ := set $config "state" (dict "store" "json" "directory" "/var/lib/edgemind/state") -}}
{{- $_ := set $config "audit" (merge (dict "directory" "/var/lib/edgemind/state/journal") ($config.audit | default dict)) -}}
{{- else if not $config.audit -}}
{{- /* Without a volume a journal would end with its pod, and each new one would not fit what was anchored before. */ -}}
{{- $_ := set $config "audit" (dict "enabled" false) -}}
{{- end -}}
{{- if .Values.bedrockProxy.enabled -}}
{{- $_ := set $config "bedrock" (include "edgemind.config.bedrock" . | fromJson) -}}
{{- $_ := set $config "cloud" (include "edgemind.config.cloud" . | fromJson) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* With the key that gateways bring, which the proxy insists on wherever others can reach it. */}}
{{- define "edgemind.config.bedrock" -}}
{{- merge (dict) (.Values.config.bedrock | default dict) (dict "key" "file:/run/edgemind/secrets/bedrock-key") | toJson -}}
{{- end -}}

{{/* The proxy's models as the cloud tier of this site's gateways: all its pods together have the slots of each. */}}
{{- define "edgemind.config.cloud" -}}
{{- $proxy := .Values.bedrockProxy -}}
{{- $bedrock := include "edgemind.config.bedrock" . | fromJson -}}
{{- $url := printf "http://%s-bedrock-proxy:8500/v1" (include "edgemind.name" .) -}}
{{- $models := list -}}
{{- range $bedrock.models -}}
{{- $slots := mul (.slots | default 16) $proxy.replicas -}}
{{- $models = append $models (dict "name" .name "base_url" $url "slots" $slots "service_ms" $proxy.cloud.serviceMs "key" $bedrock.key) -}}
{{- end -}}
{{- dict "name" $proxy.cloud.name "zones" $proxy.cloud.zones "rtt_ms" $proxy.cloud.rttMs "models" $models | toJson -}}
{{- end -}}

{{/* Not empty if state is kept in files. */}}
{{- define "edgemind.state.volume" -}}
{{- if eq ((.Values.config.state | default dict).store | default "json") "json" }}yes{{ end -}}
{{- end -}}

{{/* What a running gateway or controller cannot take up: only a change of these starts their pods anew. */}}
{{- define "edgemind.config.restart" -}}
{{- $config := .Values.config -}}
{{- pick $config "metro" "state" "aws" "audit" | toJson | sha256sum -}}
{{- end -}}

{{/* The proxy takes up nothing while it runs. */}}
{{- define "edgemind.config.restart.bedrock" -}}
{{- pick .Values.config "aws" "bedrock" "limits" | toJson | sha256sum -}}
{{- end -}}
