i.id IN (SELECT c.item FROM {table} c
           WHERE {c_locations}c.lastquantityavailablechange >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS'))
