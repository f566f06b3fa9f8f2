-- Tax by month: what records of ours posted to tax accounts. :tax are their internal ids.
SELECT TO_CHAR(t.trandate, 'YYYY-MM') AS period, a.account, t.type, SUM(a.debit) AS debit, SUM(a.credit) AS credit
FROM transaction t
JOIN transactionaccountingline a ON a.transaction = t.id
WHERE a.account IN (:tax)
  AND a.posting = 'T'
  AND t.externalid LIKE 'bc-%'
GROUP BY TO_CHAR(t.trandate, 'YYYY-MM'), a.account, t.type
ORDER BY TO_CHAR(t.trandate, 'YYYY-MM') ASC, a.account ASC, t.type ASC
