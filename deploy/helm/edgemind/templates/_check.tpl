{{/* What the schema cannot see, because it spans several values. All of it is told at once. */}}

{{- define "edgemind.check" -}}
{{- $problems := list -}}
{{- range $part := list "models" "weights" "state" "access" "bedrock" -}}
{{- $problems = concat $problems (include (printf "edgemind.check.%s" $part) $ | fromJsonArray) -}}
{{- end -}}
{{- if $problems }}{{ fail (printf "these values contradict one another:\n- %s" (join "\n- " $problems)) }}{{ end -}}
{{- end -}}

{{- define "edgemind.check.models" -}}
{{- $problems := list -}}
{{- $own := include "edgemind.config.declared" . | fromJson -}}
{{- $names := list -}}
{{- $models := list -}}
{{- range $own.models }}{{ $models = append $models .name }}{{ end -}}
{{- range $k, $server := .Values.modelServers -}}
{{- $at := printf "modelServers[%d]" $k -}}
{{- if has .name $names }}{{ $problems = append $problems (printf "%s.name: %s is taken by another model server" $at .name) }}{{ end -}}
{{- if has .model $models }}{{ $problems = append $problems (printf "%s.model: %s is declared already, here or in config.sites; remove one" $at .model) }}{{ end -}}
{{- $names = append $names .name -}}
{{- $models = append $models .model -}}
{{- end -}}
{{- if not $models }}{{ $problems = append $problems (printf "modelServers: %s has no model; add one here, or under its entry in config.sites" .Values.site.name) }}{{ end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "edgemind.check.weights" -}}
{{- $problems := list -}}
{{- if eq .Values.modelCache.type "none" -}}
{{- range $k, $server := .Values.modelServers -}}
{{- if (.weights | default dict).file }}{{ $problems = append $problems (printf "modelServers[%d].weights.file: needs a modelCache.type other than none" $k) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- range $type, $field := dict "existingClaim" "existingClaim" "hostPath" "hostPath" -}}
{{- if and (eq $.Values.modelCache.type $type) (not (get $.Values.modelCache $field)) }}{{ $problems = append $problems (printf "modelCache.%s: is empty; modelCache.type says %s" $field $type) }}{{ end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "edgemind.check.state" -}}
{{- $problems := list -}}
{{- $volume := .Values.stateVolume -}}
{{- if include "edgemind.state.volume" . -}}
{{- if and (eq $volume.type "existingClaim") (not $volume.existingClaim) }}{{ $problems = append $problems "stateVolume.existingClaim: is empty; stateVolume.type says existingClaim" }}{{ end -}}
{{- if and (eq $volume.type "emptyDir") (ne (.Values.config.auth | default "keys") "off") }}{{ $problems = append $problems "stateVolume.type: with emptyDir each pod would have API keys of its own; use persistentVolumeClaim, or config.auth: \"off\"" }}{{ end -}}
{{- end -}}
{{- with .Values.gateway.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}{{ $problems = append $problems "gateway.autoscaling.minReplicas: is more than maxReplicas" }}{{ end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "edgemind.check.access" -}}
{{- $problems := list -}}
{{- $fleet := .Values.config.fleet | default dict -}}
{{- if and .Values.statusPage.enabled (not ($fleet.tokens | default dict).viewer) }}{{ $problems = append $problems "statusPage.enabled: the page needs config.fleet.tokens.viewer, and the key viewer-token in the Secret" }}{{ end -}}
{{- if and .Values.networkPolicy.enabled .Values.controller.scaling.enabled (not .Values.networkPolicy.kubernetesApi.peers) }}{{ $problems = append $problems "networkPolicy.kubernetesApi.peers: is empty, so the controller could not scale; name the API server's addresses" }}{{ end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "edgemind.check.bedrock" -}}
{{- $problems := list -}}
{{- if .Values.bedrockProxy.enabled -}}
{{- if not (.Values.config.bedrock | default dict).models }}{{ $problems = append $problems "config.bedrock.models: is empty; bedrockProxy.enabled needs to know which models to serve" }}{{ end -}}
{{- if .Values.config.cloud }}{{ $problems = append $problems "config.cloud: bedrockProxy.enabled declares the cloud tier; remove one of the two" }}{{ end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}
