;; Exports instances instead of functions.
;; $ cipher encrypt export-instance x
;; status 4
;; stderr error: export-instance does not satisfy the contract: its export 'encr' is an interface, where the contract has func(input: string) -> string; its export 'decr' is an interface, where the contract has func(input: string) -> string
(component
  (instance $empty)
  (export "encr" (instance $empty))
  (export "decr" (instance $empty)))
