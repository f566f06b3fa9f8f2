SELECT tl.transaction, tl.id AS line_id, tl.linesequencenumber AS line_number, tl.item,
       i.itemtype AS item_type, {ship_item}tl.quantity, tl.rate, tl.foreignamount AS amount, tl.taxline,
       tl.isclosed, tl.quantityshiprecv AS fulfilled, tl.quantitybilled AS billed, tl.location, tl.department,
       tl.class AS classification{custom}
FROM transactionline tl
LEFT JOIN item i ON i.id = tl.item
{ship_join}WHERE tl.transaction IN ({ids})
  AND tl.mainline = 'F'
  AND NVL(tl.iscogs, 'F') = 'F'
  AND (tl.transaction > ? OR (tl.transaction = ? AND tl.id > ?))
ORDER BY tl.transaction ASC, tl.id ASC
