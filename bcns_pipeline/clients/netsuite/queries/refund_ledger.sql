SELECT tl.transaction, tl.id AS line_id, a.account, tl.foreignamount AS amount, a.debit, a.credit
FROM transactionline tl
JOIN transactionaccountingline a ON a.transaction = tl.transaction AND a.transactionline = tl.id
WHERE tl.transaction IN ({ids})
  AND a.posting = 'T'
  AND (tl.transaction > ? OR (tl.transaction = ? AND tl.id > ?))
ORDER BY tl.transaction ASC, tl.id ASC
