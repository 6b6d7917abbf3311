{{/* What all pods have in common. */}}

{{- define "edgemind.pod.security" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "edgemind.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* (dict "root" $ "component" ... "server" ... "values" <nodeSelector, tolerations, priorityClassName>) */}}
{{- define "edgemind.pod.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
# Best effort: a site of one node must run, too.
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "edgemind.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end -}}

{{- define "edgemind.volumes.tmp" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end -}}

{{- define "edgemind.volumes.config" -}}
- name: config
  configMap: {name: {{ include "edgemind.name" . }}-config, defaultMode: 0444}
{{- end -}}

{{/* Volumes of gateways and the controller, and where they are mounted. */}}
{{- define "edgemind.volumes" -}}
{{ include "edgemind.volumes.tmp" . }}
{{ include "edgemind.volumes.config" . }}
- name: secrets
  {{- with .Values.secrets.providerClass }}
  csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: {{ . }}}}
  {{- else }}
  secret: {secretName: {{ .Values.secrets.existingSecret }}, defaultMode: 0440}
  {{- end }}
{{- if include "edgemind.state.volume" . }}
- name: state
  {{- if eq .Values.stateVolume.type "emptyDir" }}
  emptyDir: {sizeLimit: {{ .Values.stateVolume.size }}}
  {{- else }}
  persistentVolumeClaim:
    claimName: {{ eq .Values.stateVolume.type "existingClaim" | ternary .Values.stateVolume.existingClaim (printf "%s-state" (include "edgemind.name" .)) }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* (dict "root" $ "writes" false): whether the component writes state. Reading takes no lock. */}}
{{- define "edgemind.mounts" -}}
- {name: tmp, mountPath: /tmp}
# A folder, not a file by subPath: only then does a change arrive in the running pod.
- {name: config, mountPath: /etc/edgemind, readOnly: true}
- {name: secrets, mountPath: /run/edgemind/secrets, readOnly: true}
{{- if include "edgemind.state.volume" .root }}
- {name: state, mountPath: /var/lib/edgemind, readOnly: {{ not .writes }}}
{{- end }}
{{- end -}}

{{/* (dict "root" $ "component" ... "server" ... "name" "..." "most" 1): how many of its pods a drained node may take at once. */}}
{{- define "edgemind.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "edgemind.labels" . | nindent 4 }}
spec:
  # At least one, also where there is only one: a node must be drainable.
  maxUnavailable: {{ .most }}
  selector:
    matchLabels:
      {{- include "edgemind.selector" . | nindent 6 }}
{{- end -}}
