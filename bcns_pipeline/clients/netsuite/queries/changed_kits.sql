i.id IN (SELECT s.item FROM itemmember s
           WHERE s.parentitem IN (SELECT m.parentitem FROM itemmember m
             WHERE m.item IN (SELECT k.item FROM {table} k
               WHERE {k_locations}k.lastquantityavailablechange >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS'))))
