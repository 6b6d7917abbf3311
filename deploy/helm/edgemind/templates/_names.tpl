{{/* Names, labels and images. */}}

{{- define "edgemind.name" -}}
{{- .Release.Name | trunc 24 | trimSuffix "-" -}}
{{- end -}}

{{/* (dict "root" $ "component" "gateway"): what selects the pods of a component. */}}
{{- define "edgemind.selector" -}}
app.kubernetes.io/name: edgemind
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .server }}
edgemind.io/model-server: {{ . }}
{{- end }}
{{- end -}}

{{- define "edgemind.labels" -}}
{{ include "edgemind.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: edgemind
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
edgemind.io/site: {{ .root.Values.site.name }}
{{- end -}}

{{/* Only what does not change with the version of the chart: a changed label would start model servers anew. */}}
{{- define "edgemind.pod.labels" -}}
{{ include "edgemind.selector" . }}
edgemind.io/site: {{ .root.Values.site.name }}
{{- end -}}

{{/* (dict "root" $ "image" .Values.images.gateway) */}}
{{- define "edgemind.image" -}}
{{- $tag := .image.tag | default .root.Chart.AppVersion -}}
{{- if .image.digest -}}
{{ .image.repository }}:{{ $tag }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ $tag }}
{{- end -}}
{{- end -}}

{{- define "edgemind.gateway.url" -}}
{{- $scheme := ternary "https" "http" (ne .Values.gateway.tls.existingSecret "") -}}
{{ $scheme }}://{{ include "edgemind.name" . }}-gateway:{{ .Values.gateway.service.port }}
{{- end -}}

{{- define "edgemind.controller.url" -}}
http://{{ include "edgemind.name" . }}-controller:8200
{{- end -}}

{{/* (dict "root" $ "server" <an entry of modelServers>) */}}
{{- define "edgemind.model.name" -}}
{{ include "edgemind.name" .root }}-model-{{ .server.name }}
{{- end -}}
