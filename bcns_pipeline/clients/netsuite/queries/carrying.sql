SELECT tal.transaction, tal.account, tal.accountingbook AS book,
       SUM(NVL(tal.debit, 0) - NVL(tal.credit, 0)) AS base,
       SUM(tl.foreignamount) AS foreign_amount
FROM transactionaccountingline tal
JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline
WHERE tal.transaction IN ({ids})
  AND tal.account IN ({accounts})
GROUP BY tal.transaction, tal.account, tal.accountingbook
ORDER BY tal.transaction ASC, tal.account ASC, tal.accountingbook ASC
