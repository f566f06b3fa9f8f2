SELECT MIN(i.id) AS low, MAX(i.id) AS high
FROM item i
WHERE i.isinactive = 'F' AND i.itemtype IN ('InvtPart', 'Assembly')
