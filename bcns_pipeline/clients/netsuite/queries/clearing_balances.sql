SELECT tal.account, t.currency, {subsidiary}t.type, tal.posting, tal.accountingbook AS book,
       SUM(NVL(tal.debit, 0) - NVL(tal.credit, 0)) AS base,
       SUM(tl.foreignamount) AS foreign_amount,
       SUM(CASE WHEN t.externalid LIKE ? THEN NVL(tal.debit, 0) - NVL(tal.credit, 0) ELSE 0 END) AS back_base,
       SUM(CASE WHEN t.externalid LIKE ? THEN tl.foreignamount ELSE 0 END) AS back_foreign,
       COUNT(tl.id) AS line_count
FROM transaction t
JOIN transactionline tl ON tl.transaction = t.id
JOIN transactionaccountingline tal ON tal.transaction = tl.transaction AND tal.transactionline = tl.id
WHERE tal.account IN ({accounts})
  AND t.trandate <= TO_DATE(?, 'YYYY-MM-DD')
GROUP BY tal.account, t.currency, {subsidiary}t.type, tal.posting, tal.accountingbook
ORDER BY tal.account ASC, t.currency ASC, {ordered}t.type ASC, tal.posting ASC, tal.accountingbook ASC
