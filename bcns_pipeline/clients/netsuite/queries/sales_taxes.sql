SELECT td.transaction, td.line AS line_id, SUM(td.taxamount) AS amount
FROM transactiontaxdetail td
WHERE td.transaction IN ({ids})
  AND (td.transaction > ? OR (td.transaction = ? AND td.line > ?))
GROUP BY td.transaction, td.line
ORDER BY td.transaction ASC, td.line ASC
