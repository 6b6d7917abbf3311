{{/* Pieces of network policies. */}}

{{/* (dict "root" $ "component" "gateway"): a peer, the pods of a component of this release. */}}
{{- define "edgemind.peer" -}}
- podSelector:
    matchLabels:
      {{- include "edgemind.selector" . | nindent 6 }}
{{- end -}}

{{- define "edgemind.policy.head" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "edgemind.name" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "edgemind.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "edgemind.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end -}}

{{- define "edgemind.egress.dns" -}}
{{- $dns := .Values.networkPolicy.dns -}}
- to:
    {{- toYaml $dns.peers | nindent 4 }}
  ports: [{protocol: UDP, port: {{ $dns.port }}}, {protocol: TCP, port: {{ $dns.port }}}]
{{- end -}}

{{/* The release's model servers, those elsewhere, and AWS: gateways and the controller need the same. */}}
{{- define "edgemind.egress.upstreams" -}}
{{- if .Values.modelServers }}
- to:
    {{- include "edgemind.peer" (dict "root" . "component" "model-server") | nindent 4 }}
  ports: [{protocol: TCP, port: 8400}]
{{- end }}
{{- range .Values.networkPolicy.upstreams }}
- to:
    {{- toYaml .peers | nindent 4 }}
  ports: [{protocol: TCP, port: {{ .port }}}]
{{- end }}
{{- include "edgemind.egress.aws" . }}
{{- end -}}

{{- define "edgemind.egress.aws" -}}
{{- with .Values.networkPolicy.aws.endpoints }}
- to:
    {{- toYaml . | nindent 4 }}
  ports: [{protocol: TCP, port: 443}]
{{- end }}
{{- if .Values.networkPolicy.aws.podIdentity }}
- to: [{ipBlock: {cidr: 169.254.170.23/32}}, {ipBlock: {cidr: "fd00:ec2::23/128"}}]
  ports: [{protocol: TCP, port: 80}]
{{- end }}
{{- end -}}
