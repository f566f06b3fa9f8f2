m.parentitem IN (SELECT a.parentitem FROM itemmember a
           WHERE a.item IN (SELECT c.item FROM {table} c
             WHERE {c_locations}c.lastquantityavailablechange >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')))
