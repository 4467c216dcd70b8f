;; Records one audit event that looks like several if it is not escaped.
;; $ cipher encrypt forged-audit-lines x
;; status 0
;; stdout
;; stderr [AUDIT] Action: encrypt \u{7c} Detail: Length: 1\n[AUDIT] Action: decrypt | Detail: x\r\n[AUDIT] Action: encrypt | Detail: Length: 9\n
;; $ cipher encrypt forged-audit-lines x --audit-format json 2>&1 >/dev/null | grep -c '"sequence":1,'
;; status 0
;; stdout 1
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $log
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "encrypt | Detail: Length: 1\0a[AUDIT] Action: decrypt")
    (data (i32.const 256) "x\0d\0a[AUDIT] Action: encrypt | Detail: Length: 9\0a")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 512)))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $log "auditrecord") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "record" (func $record (param i32 i32 i32 i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $record (i32.const 64) (i32.const 51) (i32.const 256) (i32.const 47))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "record" (func $record))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
