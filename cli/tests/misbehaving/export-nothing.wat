;; An empty component.
;; $ cipher encrypt export-nothing x
;; status 4
;; stderr error: export-nothing does not satisfy the contract: it has no export 'encr'; it has no export 'decr'
(component
  )
