;; An audit log that drops every event. It lets guests run on a host without one, such as the wasmtime CLI in the
;; benchmark.
(component
  (core module $module
    (memory (export "memory") 1)
    ;; One page holds any event of the benchmark; each overwrites the one before.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
    (func (export "auditrecord") (param i32 i32 i32 i32)))
  (core instance $instance (instantiate $module))
  (alias core export $instance "memory" (core memory $memory))
  (alias core export $instance "realloc" (core func $realloc))
  (func $auditrecord (param "action" string) (param "detail" string)
    (canon lift (core func $instance "auditrecord") (memory $memory) (realloc $realloc)))
  (instance $log (export "auditrecord" (func $auditrecord)))
  (export "saritnike:cipher/audit-log@0.1.0" (instance $log)))
